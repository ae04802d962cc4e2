"""Steering played again over somebody's measured quarters: files, processes, and the report."""
