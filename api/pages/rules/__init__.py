"""Versions of the rules, tried before they are proposed."""
