"""The settings of pretraining runs, readable without Keras: each method's own, and the run that composes them."""
