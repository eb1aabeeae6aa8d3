"""From a clean recording to what a phone hears: rooms, noise, band limits, level and mu-law, all drawn from one rng."""
