"""The phone's low-power loop: detector, ring buffer, capture, recognition, history."""
