"""nowplaying: an on-device music recognizer; this package is the small kernel every room may import."""

__version__ = "0.1.0"
