"""The bytes of a database on disk: schema, arrays, packing, metadata, lock."""
