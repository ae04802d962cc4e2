"""The parts of the settlement: rounding, claims, months in arrays of whole numbers, invoices."""
