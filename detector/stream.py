"""The detector as it runs: PCM in pieces, one probability of music every 640 ms."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.features import INPUT_ZERO_POINT, FeatureStream, frame_end_s, front_end_of, quantize
from detector.front_end import SHIPPED_FRONT_END, FrontEndSettings
from detector.gate import STEPS, GateConfig
from detector.network import StreamingNetwork
from detector.second_stage import SECOND_STAGE_FILE, SecondStage
from detector.silence import QuietHops
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.audio import to_int16
from nowplaying_core.errors import ConfigError, ManifestMismatchError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["MODEL_FILE", "Decision", "StreamingDetector"]

MODEL_FILE = "detector.tflite"


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


class StreamingDetector:
    """Front end, network and their memory. Make one for each stream.

    Parameters
    ----------
    model : TfliteModel
        A graph as :class:`detector.network.StreamingNetwork` expects it.
    gate_config : GateConfig
    manifest : dict or None
        For callers that show the model's name and settings.
    second_stage : SecondStage or None
        Confirms or denies the network's outputs; None for a detector of one stage.
    front_end : FrontEndSettings
        Those that the networks were trained with.

    Raises
    ------
    ManifestMismatchError
        When the graph's tensors are not those of a detector.

    Examples
    --------
    >>> import numpy as np
    >>> detector = StreamingDetector.from_model("detector-v3")
    >>> decisions = detector.process(np.zeros(5 * 16_000, dtype=np.float32))
    >>> [decision.time_s for decision in decisions], decisions[0].probability < 0.5
    ([4.48], True)
    """

    def __init__(
        self,
        model: TfliteModel,
        *,
        gate_config: GateConfig | None = None,
        manifest: dict[str, Any] | None = None,
        second_stage: SecondStage | None = None,
        front_end: FrontEndSettings = SHIPPED_FRONT_END,
    ) -> None:
        self._network = StreamingNetwork(model)
        self._features, self._full_scale = FeatureStream(front_end), front_end.full_scale
        self.n_frames = self._network.window_frames
        self.gate_config = gate_config or GateConfig()
        level_dbfs = self.gate_config.silence_dbfs
        self._quiet = None if level_dbfs is None else QuietHops(level_dbfs)
        self.manifest = manifest or {}
        self.second_stage = second_stage
        self.reset()

    @classmethod
    def from_model(
        cls, source: str | Path | ModelFolder = SHIPPED_DETECTOR, *, reference_kernels: bool = False
    ) -> "StreamingDetector":
        """Open a shipped model by name, or a model folder.

        Parameters
        ----------
        source : str, Path or ModelFolder
        reference_kernels : bool
            Run LiteRT's reference kernels, which equal a microcontroller bit for bit.

        Raises
        ------
        ArtifactError
            When there is no such model or it is damaged.
        ManifestMismatchError
            When it was made for another front end, or its gate or its cascade is not valid.
        """
        folder = ModelFolder.open(source, role="detector")
        front_end = front_end_of(folder.manifest, folder.path / "manifest.json")
        model = TfliteModel(folder.file(MODEL_FILE), reference_kernels=reference_kernels)
        try:
            gate_config = GateConfig.from_dict(folder.manifest.get("gate", {}))
        except (ConfigError, TypeError) as error:
            message = f"{folder.path / 'manifest.json'}: {error}"
            raise ManifestMismatchError(message) from error
        cascade, second_stage = folder.manifest.get("cascade"), None
        if cascade is not None:
            wanted_above: Any = cascade.get("wanted_above") if isinstance(cascade, dict) else None
            larger = TfliteModel(folder.file(SECOND_STAGE_FILE), reference_kernels=reference_kernels)
            second_stage = SecondStage(larger, wanted_above)
        return cls(
            model,
            gate_config=gate_config,
            manifest=folder.manifest,
            second_stage=second_stage,
            front_end=front_end,
        )

    def reset(self) -> None:
        """Start a new stream at time 0."""
        self._features.reset()
        self._network.reset()
        if self.second_stage is not None:
            self.second_stage.reset()
        if self._quiet is not None:
            self._quiet.reset()

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
        return self.process_pcm(to_int16(samples))

    def process_pcm(self, pcm: NDArray[np.int16]) -> list[Decision]:
        """Return the decisions that these samples complete: the entry for streams of int16, all in integers.

        Parameters
        ----------
        pcm : ndarray of int16, shape (n,), 16 kHz mono
        """
        return self.process_features(self.features(pcm))

    def features(self, pcm: NDArray[np.int16]) -> NDArray[np.int8]:
        """Return the network's frames that these samples complete, for callers who run more than one network.

        Parameters
        ----------
        pcm : ndarray of int16, shape (n,), 16 kHz mono

        Returns
        -------
        ndarray of int8, shape (n_frames, 40)
        """
        frames = quantize(self._features.process(pcm), self._full_scale)
        if self._quiet is not None:
            frames[self._quiet.process(pcm)] = INPUT_ZERO_POINT
        return frames

    def process_features(self, frames: NDArray[np.int8]) -> list[Decision]:
        """Return the decisions that these frames complete, for callers who run the front end themselves.

        Parameters
        ----------
        frames : ndarray of int8, shape (n, 40)
        """
        outputs = self._network.process(frames)
        if self.second_stage is not None:
            outputs = self.second_stage.process(frames, outputs)
        return [Decision(frame_end_s(n_frames - 1), output / STEPS) for n_frames, output in outputs]
