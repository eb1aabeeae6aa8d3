"""Fingerprints as a few bits: a small head that turns the vectors of a frozen fingerprinter into signs and back."""
