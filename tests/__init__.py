"""Behaviour, laws, journeys and the house itself."""
