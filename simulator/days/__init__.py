"""Whole days without sound: scenes and scenarios, many days, alternatives, what the answer hangs on."""
