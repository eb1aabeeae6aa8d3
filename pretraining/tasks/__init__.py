"""What an ear is asked: labelled sounds, parted by speaker or source."""
