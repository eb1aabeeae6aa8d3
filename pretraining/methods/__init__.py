"""Methods of pretraining, one a file."""
