"""What can be bought and wired, and its virtual twin."""
