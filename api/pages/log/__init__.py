"""The log of acts, and the check of its chain."""
