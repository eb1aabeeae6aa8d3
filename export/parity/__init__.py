"""Compare exported models with the evaluated ones."""
