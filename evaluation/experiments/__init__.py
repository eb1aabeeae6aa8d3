"""Experiments that made a page of docs/, one script each."""
