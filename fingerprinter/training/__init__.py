"""Training of the fingerprint encoder: pairs, model, loop."""
