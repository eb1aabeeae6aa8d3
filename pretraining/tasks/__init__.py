"""What an encoder is asked: labelled sounds, parted by speaker or source."""
