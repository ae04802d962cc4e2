"""Money out and in: payment files, bank statements, what is open."""
