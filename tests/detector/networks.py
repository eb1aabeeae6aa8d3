"""Detector networks with random weights, which test arithmetic as well as trained ones do."""

import numpy as np

from detector.training.config import NetworkConfig
from detector.training.reference import float_layers
from detector.training.weights import FoldedWeights, equalized, on_shared_grids

__all__ = ["SMALL", "random_weights", "run"]

SMALL = NetworkConfig(n_filters=24, n_last_filters=24)


def random_weights(network: NetworkConfig = SMALL, seed: int = 0) -> FoldedWeights:
    """Return weights whose activations fill their grids on noise, so that rounding and saturation both occur."""
    rng = np.random.default_rng(seed)
    channels = [network.n_channels, *(network.filters(layer) for layer in range(network.n_layers))]

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(0, 1, shape).astype(np.float32)

    layers = range(network.n_layers)
    weights = FoldedWeights(
        depthwise=tuple(draw(network.kernel_frames, channels[layer]) for layer in layers),
        pointwise=tuple(draw(channels[layer], channels[layer + 1]) for layer in layers),
        bias=tuple(draw(channels[layer + 1]) for layer in layers),
        hidden=draw(network.frames_after_layers * channels[-1], network.n_hidden),
        hidden_bias=draw(network.n_hidden),
        logit=draw(network.n_hidden, 1),
        logit_bias=draw(1),
    )
    weights = equalized(weights)
    seen: dict[str, np.ndarray] = {}
    run(weights, rng.uniform(0, 256, (network.n_frames, network.n_channels)).astype(np.float32), seen)
    largest = {name: (float(values.min()), float(values.max())) for name, values in seen.items()}
    filled = on_shared_grids(weights, largest)
    named = filled.arrays()
    for name in [name for name in named if "bias" in name]:
        named[name] = rng.normal(0, 20, named[name].shape).astype(np.float32)
    # The logit's own grid is fixed: let it move over a part of it.
    named["logit"] *= np.float32(3 / abs(float((seen["hidden"] @ weights.logit).item()) + 1e-6))
    named["logit_bias"] = np.array([0.5], dtype=np.float32)
    return FoldedWeights.from_arrays(named)


def run(weights: FoldedWeights, frames: np.ndarray, seen: dict | None = None) -> float:
    """The network's logit for one window, and what its layers put out."""
    network = NetworkConfig(
        n_frames=len(frames), n_channels=frames.shape[1], n_layers=len(weights.depthwise), kernel_frames=4
    )
    outputs = {name: values[0] for name, values in float_layers(network, weights, frames[None]).items()}
    logit = outputs.pop("logit")
    if seen is not None:
        seen.update(outputs)
    return float(logit.item())
