"""How well does it recognize? Queries with noise and rooms, retrieval tables, calibration of the acceptance."""
