"""From nearest fingerprints to an accepted song or "unknown"."""
