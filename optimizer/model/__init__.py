"""What there is in a neighbourhood, as it is planned: parts, and the arrays they become."""
