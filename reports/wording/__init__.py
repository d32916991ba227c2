"""How figures, names, states and money read on a page: in plain English, with units."""
