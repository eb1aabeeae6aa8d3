"""From audio files to a database."""
