"""Encoders: log-mel image in, unit vector out; one file each, chosen by name in a training's settings."""
