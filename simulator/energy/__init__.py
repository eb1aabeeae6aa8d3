"""Energy: device profiles, the work of an answer, radios, cost models, and the usage that they price."""
