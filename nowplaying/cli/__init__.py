"""The command line: thin functions over the rooms; nothing imports it."""
