"""Sound as a language: slices of log-mel as the words of a codebook, and a transformer that says which comes next."""
