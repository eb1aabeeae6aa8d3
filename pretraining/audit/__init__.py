"""What a fingerprint gives away: sound rebuilt from stored vectors, its melody and its intelligibility."""
