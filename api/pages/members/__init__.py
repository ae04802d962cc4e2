"""Members, their acts and their shares."""
