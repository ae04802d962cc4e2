"""What a battery is told, and when it is told nothing."""
