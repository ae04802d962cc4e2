"""Plans for days that nobody knows: several courses at once, and room kept for errors."""
