"""The meter's port: bytes to telegrams, telegrams to readings."""
