"""Virtual devices that speak the real protocols."""
