"""The words everyone speaks, and how they travel: the ground floor of the house."""
