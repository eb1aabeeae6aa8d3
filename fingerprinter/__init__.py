"""What does it sound like? Log-mel, encoder, unit embeddings; objective, training and evaluation."""
