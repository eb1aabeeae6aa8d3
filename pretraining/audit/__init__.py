"""What a fingerprint gives away: sound rebuilt from what a database stores, and what can be understood of it."""
