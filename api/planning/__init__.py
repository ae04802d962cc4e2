"""The parts of the planning loop: what is asked, what is looked out for, and what is told."""
