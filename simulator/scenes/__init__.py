"""Composed scenes with known truth, and the shipped recordings that they are made of."""
