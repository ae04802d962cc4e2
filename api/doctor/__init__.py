"""Looks at a server from beside its services, link by link, also when all of them are down."""
