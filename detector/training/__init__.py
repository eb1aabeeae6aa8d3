"""Training of the music detector: data, network, fitting, distillation, quantization."""
