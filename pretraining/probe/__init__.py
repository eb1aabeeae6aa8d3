"""One protocol for all ears: what a linear classifier, or further training, makes of an embedding."""
