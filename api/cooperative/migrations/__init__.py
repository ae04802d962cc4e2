"""How the books' tables came to be, step by step; run by ``api.cooperative.schema``."""
