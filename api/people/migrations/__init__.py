"""Steps from one form of the book of people to the next."""
