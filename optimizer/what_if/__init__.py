"""What a neighbourhood would be with another roof, battery or tariff, and all else as it was."""
