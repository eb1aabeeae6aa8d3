"""Rebuilding log-mel images from few numbers: a first guess, and a refiner that samples what they do not hold."""
