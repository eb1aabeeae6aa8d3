"""The detector as it runs: PCM in pieces, one probability of music every 640 ms."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.features import INPUT_ZERO_POINT, N_CHANNELS, FeatureStream, frame_end_s, frontend_settings, quantize
from detector.gate import Gate, GateConfig
from nowplaying.audio import to_int16
from nowplaying.errors import ConfigError, ManifestMismatchError
from nowplaying.manifest import ModelFolder
from nowplaying.runtime import TfliteModel

__all__ = ["DECISION_FRAMES", "MODEL_FILE", "Decision", "StreamingDetector"]

MODEL_FILE = "detector.tflite"
DECISION_FRAMES = 64


@dataclass(frozen=True, slots=True)
class Decision:
    """One output of the network.

    Attributes
    ----------
    time_s : float
        End of the newest frame that it covers, since the reset; it covers the 4.48 s before.
    probability : float in [0, 1]
        Of music.
    """

    time_s: float
    probability: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


class StreamingDetector:
    """Front end, network and their memory. Make one for each stream.

    Parameters
    ----------
    model : TfliteModel
        int8 in (1, n_frames, 1, 40), int8 out, one number.
    gate_config : GateConfig
    manifest : dict or None
        For callers who show what runs.

    Raises
    ------
    ManifestMismatchError
        When the graph's tensors are not those of a detector.

    Examples
    --------
    >>> import numpy as np
    >>> detector = StreamingDetector.from_model("detector-v1")
    >>> decisions = detector.process(np.zeros(5 * 16_000, dtype=np.float32))
    >>> [decision.time_s for decision in decisions], decisions[0].probability < 0.5
    ([4.48], True)
    """

    def __init__(
        self, model: TfliteModel, *, gate_config: GateConfig | None = None, manifest: dict[str, Any] | None = None
    ) -> None:
        shape = model.input.shape
        if len(shape) != 4 or shape[3] != N_CHANNELS or model.input.dtype != np.int8 or model.output.dtype != np.int8:
            message = (
                f"expected a detector graph with int8 input (1, frames, 1, {N_CHANNELS}) and int8 output, "
                f"found {model.input.dtype} {shape} and {model.output.dtype}; use the model that the manifest names"
            )
            raise ManifestMismatchError(message)
        self._model = model
        self._features = FeatureStream()
        self.n_frames = int(shape[1])
        self.gate_config = gate_config or GateConfig()
        self.manifest = manifest or {}
        self.reset()

    @classmethod
    def from_model(cls, source: str | Path = "detector-v1", *, reference_kernels: bool = False) -> "StreamingDetector":
        """Open a shipped model by name, or a model folder.

        Parameters
        ----------
        source : str or Path
        reference_kernels : bool
            Run LiteRT's reference kernels, which equal a microcontroller bit for bit.

        Raises
        ------
        ArtifactError
            When there is no such model or it is damaged.
        ManifestMismatchError
            When it was made for another front end.
        """
        folder = ModelFolder.open(source, role="detector")
        expected, found = frontend_settings(), folder.manifest.get("frontend")
        if found != expected:
            message = f"{folder.path / 'manifest.json'}: expected the front end {expected}, found {found}; update both"
            raise ManifestMismatchError(message)
        model = TfliteModel(folder.file(MODEL_FILE), reference_kernels=reference_kernels)
        try:
            gate_config = GateConfig.from_dict(folder.manifest.get("gate", {}))
        except (ConfigError, TypeError) as error:
            message = f"{folder.path / 'manifest.json'}: {error}"
            raise ManifestMismatchError(message) from error
        return cls(model, gate_config=gate_config, manifest=folder.manifest)

    def reset(self) -> None:
        """Start a new stream at time 0."""
        self._features.reset()
        self._frames = np.full((self.n_frames, N_CHANNELS), INPUT_ZERO_POINT, dtype=np.int8)
        self._n_heard = 0

    def new_gate(self) -> Gate:
        """Return a gate with the parameters that the model's manifest recommends."""
        return Gate(self.gate_config)

    def process(self, samples: NDArray[np.float32]) -> list[Decision]:
        """Return the decisions that these samples complete.

        Parameters
        ----------
        samples : ndarray of float32, shape (n,), in [-1, 1], 16 kHz mono
            Any n, also 0; how a stream is cut into calls does not change the decisions.

        Returns
        -------
        list of Decision
            The first when 446 frames (4.48 s) are there, then one every 640 ms.
        """
        return self.process_features(quantize(self._features.process(to_int16(samples))))

    def process_features(self, frames: NDArray[np.int8]) -> list[Decision]:
        """Return the decisions that these frames complete, for callers who run the front end themselves.

        Parameters
        ----------
        frames : ndarray of int8, shape (n, 40)
        """
        decisions = []
        position = 0
        while position < len(frames):
            taken = frames[position : position + self._frames_to_next()]
            position += len(taken)
            self._n_heard += len(taken)
            self._frames = np.concatenate([self._frames[len(taken) :], taken])
            if self._n_heard >= self.n_frames and (self._n_heard - self.n_frames) % DECISION_FRAMES == 0:
                output = self._model.output.dequantize(self._model.run(self._frames[None, :, None, :]))
                decisions.append(Decision(frame_end_s(self._n_heard - 1), float(output.reshape(-1)[0])))
        return decisions

    def _frames_to_next(self) -> int:
        if self._n_heard < self.n_frames:
            return self.n_frames - self._n_heard
        return DECISION_FRAMES - (self._n_heard - self.n_frames) % DECISION_FRAMES
