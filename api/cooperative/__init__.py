"""The neighbourhood's own company: registry, decisions, readings, runs and books; no HTTP."""
