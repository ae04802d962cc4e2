"""Steering played again over measured quarters, with only what was known then; arrays only."""
