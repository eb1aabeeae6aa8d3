"""Next code over a VQ bottleneck: codes are learned by rebuilding slices while a transformer learns their order.

As :mod:`pretraining.methods.kmeans_codes`, but the dictionary is that of an autoencoder with a vector-quantized
bottleneck (van den Oord et al. 2017, arXiv 1711.00937). A reconstruction of the idea.
"""

from typing import Any

from keras import ops

from pretraining.codes.quantizer import slices
from pretraining.methods.next_code import NextCode

__all__ = ["VqCodes"]


class VqCodes(NextCode):
    """Squared error of the rebuilt slices, the bottleneck's own two terms, and the cross entropy of the next code.

    The transformer's share moves no code: codes that are easy to expect would otherwise be all alike.
    """

    def objective(self, *inputs: Any) -> Any:
        """Return the sum; the errors are in the front end's units, the cross entropy in nats."""
        rows = slices(self.log_mel(inputs[0]), self.config.codes.slice_frames)
        codes, rebuilt, apart = self.quantizer.bottleneck(rows)
        return ops.mean(ops.square(rebuilt - rows)) + apart + self.surprise(codes)
