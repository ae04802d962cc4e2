"""How gateways and links are: from what the record holds and what gateways tell of themselves."""
