"""What the board sees of a run, and what it does with it."""
