"""Fault injection: damaged, forged and killed databases."""
