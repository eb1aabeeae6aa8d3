"""The phone: low-power loop, energy account, scenes and timelines."""
