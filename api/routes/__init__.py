"""What answers on which address, one file a subject."""
