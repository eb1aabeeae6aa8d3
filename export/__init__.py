"""From Keras to int8 TFLite to a checked bundle for a phone or a DSP."""
