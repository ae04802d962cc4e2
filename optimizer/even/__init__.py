"""Of the plans that cost the same the even one: between steps, and between batteries."""
