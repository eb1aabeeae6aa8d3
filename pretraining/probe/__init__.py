"""One protocol for all encoders: what a linear classifier, or further training, makes of an embedding."""
