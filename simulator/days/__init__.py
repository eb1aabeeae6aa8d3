"""Whole days without sound: scenes and scenarios, error models, many days, architectures, sensitivity."""
