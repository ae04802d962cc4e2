"""The roof: serve people, keep the books, compose processes."""
