"""The plan of a fleet: many batteries behind one connection, by an interior point of its own."""
