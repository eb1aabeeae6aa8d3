"""How fast, how big, how much energy."""
