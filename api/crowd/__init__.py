"""The same reckoning for many neighbourhoods, by one process or by many."""
