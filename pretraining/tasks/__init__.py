"""Labelled tasks for encoders; training and test parts share no speaker or source."""
