"""Letting gateways in: what boxes ask, what the board decides, what an installer sees."""
