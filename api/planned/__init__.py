"""What the newest plan was made from, and what residents and the board ask of it."""
