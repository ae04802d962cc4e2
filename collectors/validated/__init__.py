"""What the grid operator read and validated: the values that make a settlement final."""
