"""Care from afar: settings and programs that are signed, tried, and taken back when they fail."""
