"""Next code over a VQ bottleneck: codes are learned by rebuilding slices while a transformer learns their order.

As :mod:`pretraining.methods.kmeans_codes`, but the dictionary is that of an autoencoder with a vector-quantized
bottleneck (van den Oord et al. 2017, arXiv 1711.00937). A reconstruction of the idea.
"""

from typing import Any

from keras import ops

from pretraining.codes.quantizer import slices
from pretraining.config.run import PretrainingConfig
from pretraining.methods.next_code import NextCode

__all__ = ["VqCodes"]


class VqCodes(NextCode):
    """Squared error of the rebuilt slices, the bottleneck's own two terms, and the cross entropy of the next code.

    The transformer's share moves no code: codes that are easy to expect would otherwise be all alike. After
    ``codes.moving_share`` of the steps no loss moves a code, and once Adam's momentum has come to rest the transformer
    learns a language that stays as it is.
    """

    def __init__(self, config: PretrainingConfig) -> None:
        super().__init__(config)
        self.n_moving_steps = round(config.codes.moving_share * config.n_steps)
        # A weight, so that it is in checkpoints, and is read anew in each step of a compiled loop.
        self.n_trained = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="n_trained"
        )

    def objective(self, *inputs: Any) -> Any:
        """Return the sum; the errors are in the front end's units, the cross entropy in nats."""
        rows = slices(self.log_mel(inputs[0]), self.config.codes.slice_frames)
        moving = ops.less(self.n_trained, self.n_moving_steps)
        codes, rebuilt, apart = self.quantizer.bottleneck(rows, moving=moving)
        of_codes = ops.mean(ops.square(rebuilt - rows)) + apart
        return ops.where(moving, of_codes, ops.stop_gradient(of_codes)) + self.surprise(codes)

    def call(self, inputs: tuple[Any, ...], training: bool | None = None) -> Any:  # noqa: FBT001
        """Add the objective of a batch to the losses, and return it; count the steps of training."""
        value = super().call(inputs, training)
        if training:
            self.n_trained.assign(self.n_trained + 1)
        return value
