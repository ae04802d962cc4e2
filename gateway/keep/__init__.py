"""What was read is kept until the record has it."""
