"""Messages to people: what is to be said, once per cause, and how it gets there."""
