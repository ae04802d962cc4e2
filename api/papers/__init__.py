"""Paper and statements as people ask for them: what is read, kept for a while, and printed."""
