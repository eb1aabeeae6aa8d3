"""Deltas, patches and signatures between versions of a database."""
