"""What the layer below a plan makes of a quarter, once it is known what the homes really used."""
