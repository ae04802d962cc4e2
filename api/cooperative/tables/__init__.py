"""The tables of the books; one file for each part of the company."""
