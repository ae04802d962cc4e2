"""The fleet: what is wished of the gateways, and which of them take a new program when."""
