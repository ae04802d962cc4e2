"""A statement from its total to the meter reading."""
