"""The Raspberry Pi of a home: what stands on its card, and how it is installed."""
