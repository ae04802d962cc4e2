"""Day-ahead prices: what a quarter-hour costs on the market, and where that is read."""
