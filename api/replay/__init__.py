"""Playing somebody's measured quarter-hours through the real chain."""
