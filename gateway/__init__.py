"""The Pi: read everything, lose nothing, obey safely."""
