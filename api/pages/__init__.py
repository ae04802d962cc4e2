"""What people see: templates, words, curves and one small script."""
