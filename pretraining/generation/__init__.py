"""A run with codes as a model of the next code: opened, continued to sound, and measured by perplexity."""
