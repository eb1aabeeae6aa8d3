"""The floor: errors, artifacts, manifests, settings, statistics and audio. It imports nothing of the project."""

__version__ = "0.1.0"
