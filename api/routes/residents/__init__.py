"""The pages of who lives here."""
