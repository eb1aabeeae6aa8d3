"""Music detection: streaming fixed-point features, a small int8 network, and a smoothing gate."""
