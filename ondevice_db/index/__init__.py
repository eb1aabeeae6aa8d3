"""Nearest-neighbor search over fingerprints: exact, flat (Annoy) and quantized (Annoy over cells + PQ)."""
