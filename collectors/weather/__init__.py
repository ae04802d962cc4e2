"""Weather from outside: one model for every service, and a book that knows what was known when."""
