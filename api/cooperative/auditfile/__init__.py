"""The tax office's audit file."""
