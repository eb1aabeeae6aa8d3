"""How well the music detector works, on clips and in streams."""
