"""Training objectives: functions of embeddings alone, chosen by name in a training's settings."""
