"""How people come in, and what is their own."""
