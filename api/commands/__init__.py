"""The commands of the roof, one file each."""
