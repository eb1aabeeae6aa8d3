"""One protocol for all encoders: a linear classifier on frozen embeddings, or fine-tuning."""
