"""Whole days without sound: scenes and scenarios, many days, architectures, what the answer hangs on."""
