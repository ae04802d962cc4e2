"""The linear programme of a problem: columns, rows, whole numbers, and its solver."""
