"""A local web page: record or drop a sound, see why it was named, and index a folder."""
