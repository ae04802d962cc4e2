"""The overview: days summed once and kept, so that a week or a year is a small question."""
