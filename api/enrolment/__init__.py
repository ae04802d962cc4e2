"""Letting gateways in: jobs, claim codes, certificates, and taking them back. Knows no HTTP."""
