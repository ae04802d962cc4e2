"""What the street is expected to use and make: chosen every night, kept, and held against it."""
