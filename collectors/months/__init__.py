"""Closed months: single readings put away as Parquet, and read back when somebody asks."""
