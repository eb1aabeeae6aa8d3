"""Which song is it? Codebooks, builder, file format, candidate search, sequence matching, acceptance."""
