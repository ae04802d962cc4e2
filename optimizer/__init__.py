"""All reckoning over quarter-hours: pure, no I/O, no clock."""
