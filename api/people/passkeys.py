"""Passkeys: what a device proves without a secret leaving it."""
