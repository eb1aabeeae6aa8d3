"""nowplaying: an on-device music recognizer."""

from nowplaying_core import __version__

__all__ = ["__version__"]
