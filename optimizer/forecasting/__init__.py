"""Forecasts of load and sun from what a small box has; arrays in, arrays out."""
