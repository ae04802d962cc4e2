"""One-time codes of an authenticator app."""
