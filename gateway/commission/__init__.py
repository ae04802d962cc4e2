"""Bringing a home on the air: measure, judge, ask consent, hand over; served by the Pi itself."""
