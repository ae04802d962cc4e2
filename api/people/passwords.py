"""Passwords, kept as slow hashes."""
