"""Opening, building and changing a database; several databases as one."""
