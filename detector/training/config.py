"""Settings of the detector: network, composed scenes, training; read from TOML, where unknown keys are errors."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from nowplaying_core.artifacts import canonical_json
from nowplaying_core.errors import ConfigError

__all__ = ["DetectorConfig", "NetworkConfig", "SceneConfig", "TrainingConfig"]

Settings = TypeVar("Settings")


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkConfig:
    """The shipped shape: separable convolutions of stride 2 without padding, over time alone.

    After Gfeller et al., "Now Playing: Continuous low-power music recognition", arXiv 1711.10958, with 40 channels in.

    Attributes
    ----------
    n_frames : int
        Frames of one input window; 446 give exactly 5 outputs after six layers.
    n_channels : int
    n_filters, n_last_filters : int
        Channels of every layer, and of the last. Four fewer there keep the whole file within 12 KB.
    n_layers : int
    kernel_frames : int
    stride : int
    n_hidden : int
        Units of the dense layer before the output.
    """

    n_frames: int = 446
    n_channels: int = 40
    n_filters: int = 32
    n_last_filters: int = 28
    n_layers: int = 6
    kernel_frames: int = 4
    stride: int = 2
    n_hidden: int = 8

    def __post_init__(self) -> None:
        for item in fields(self):
            _check(self, item.name, 1, 10_000)
        if self.frames_after_layers < 1:
            message = f"n_frames: {self.n_frames} frames are too few for {self.n_layers} layers; raise n_frames"
            raise ConfigError(message)

    @property
    def frames_after_layers(self) -> int:
        """Frames that the last convolution puts out."""
        frames = self.n_frames
        for _ in range(self.n_layers):
            frames = (frames - self.kernel_frames) // self.stride + 1
        return frames

    def filters(self, layer: int) -> int:
        """Return the channels that layer number ``layer`` puts out."""
        return self.n_last_filters if layer == self.n_layers - 1 else self.n_filters

    @property
    def decision_frames(self) -> int:
        """New frames for every new probability: the product of the strides, 64 frames or 640 ms."""
        return int(self.stride**self.n_layers)

    @property
    def kept_frames(self) -> int:
        """Frames before the newest ones that a layer needs again, and so keeps in a stream: two."""
        return self.kernel_frames - self.stride


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneConfig:
    """How training streams are composed; probabilities hold for each scene, alike for all classes.

    Attributes
    ----------
    duration_s : float
        Length of a scene, pre-roll included.
    preroll_s : float
        What windows must skip for the front end's slow adaptation, at least 5 s.
    snr_low_db, snr_high_db : float
        Music against its background, RMS from 100 to 7000 Hz.
    level_low_dbfs, level_high_dbfs : float
        RMS of a scene.
    music_share : float in [0, 1]
        Scenes with music.
    midi_share : float in [0, 1]
        Of those, scenes whose music comes from the extra folder, where there is one.
    room_share, band_limit_share, codec_share : float in [0, 1]
    stretched_share : float in [0, 1]
        Excerpts of training recordings played faster or slower.
    made_share, remade_share : float in [0, 1]
        Of scenes with music, those whose music is made up (drones, drums alone, voices alone), and of the others those
        whose recording is remade (a wash, a distant bass, its drums alone or all but them).
    """

    duration_s: float = 30.0
    preroll_s: float = 5.0
    snr_low_db: float = -5.0
    snr_high_db: float = 25.0
    level_low_dbfs: float = -50.0
    level_high_dbfs: float = -6.0
    music_share: float = 0.55
    midi_share: float = 0.3
    room_share: float = 0.5
    band_limit_share: float = 0.6
    codec_share: float = 0.2
    stretched_share: float = 0.6
    made_share: float = 0.0
    remade_share: float = 0.0

    def __post_init__(self) -> None:
        _check(self, "preroll_s", 5.0, 60.0)
        _check(self, "duration_s", self.preroll_s + 5.0, 600.0)
        _check(self, "snr_low_db", -30.0, self.snr_high_db)
        _check(self, "level_low_dbfs", -90.0, self.level_high_dbfs)
        _check(self, "level_high_dbfs", -90.0, 0.0)
        for item in fields(self):
            if item.name.endswith("_share"):
                _check(self, item.name, 0.0, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingConfig:
    """How the network is trained.

    Attributes
    ----------
    seed : int
    n_scenes, n_check_scenes : int
        Scenes composed for training and for choosing among checkpoints; the latter use the ``dev`` split.
    batch_segments, n_decisions : int
        Segments of a step, and overlapping windows (one every 640 ms) in a segment.
    steps, warmup_steps : int
    learning_rate : float
        Peak of the cosine schedule.
    quantized_steps : int
        Further steps with simulated int8 weights and activations, batch normalisation folded.
    quantized_learning_rate : float
    label_smoothing : float in [0, 0.5)
    cold_share : float in [0, 1]
        Segments cut right at a reset instead of after the pre-roll.
    extreme_share : float in [0, 1]
        Segments of silence, of next to it and of full scale, none of them music, so that the network's range and its
        int8 grids cover what a microphone can put out.
    mined_share : float in [0, 1]
        Segments drawn from those that the network takes for the other class.
    mine_every : int
        Float steps between searches for these in all training scenes.
    music_fraction : float in (0, 1]
        Least share of a positive window that is music; windows with less, but some, are not used.
    log_every : int
        Steps between lines of the log and checkpoints.
    """

    seed: int = 1
    n_scenes: int = 3_000
    n_check_scenes: int = 400
    batch_segments: int = 48
    n_decisions: int = 8
    steps: int = 4_000
    warmup_steps: int = 200
    learning_rate: float = 3e-3
    quantized_steps: int = 400
    quantized_learning_rate: float = 3e-4
    label_smoothing: float = 0.02
    cold_share: float = 0.08
    extreme_share: float = 0.0
    mined_share: float = 0.0
    mine_every: int = 2_000
    music_fraction: float = 0.4
    log_every: int = 500

    def __post_init__(self) -> None:
        _check(self, "seed", 0, 2**31)
        for name in ("n_scenes", "n_check_scenes", "batch_segments", "n_decisions", "steps", "mine_every", "log_every"):
            _check(self, name, 1, 10**7)
        _check(self, "warmup_steps", 0, self.steps)
        _check(self, "quantized_steps", 0, 10**7)
        for name in ("learning_rate", "quantized_learning_rate"):
            _check(self, name, 1e-7, 1.0)
        _check(self, "label_smoothing", 0.0, 0.49)
        for name in ("cold_share", "extreme_share", "mined_share"):
            _check(self, name, 0.0, 1.0)
        _check(self, "music_fraction", 0.01, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class DetectorConfig:
    """Everything that decides what a trained detector is.

    Attributes
    ----------
    network : NetworkConfig
    scenes : SceneConfig
    training : TrainingConfig
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    scenes: SceneConfig = field(default_factory=SceneConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    @classmethod
    def from_toml(cls, path: Path) -> "DetectorConfig":
        """Read settings from a TOML file with tables ``network``, ``scenes`` and ``training``; all are optional.

        Raises
        ------
        ConfigError
            When the file cannot be read, a key is unknown, or a value is out of its range.
        """
        try:
            table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            message = f"{path}: expected a TOML file with detector settings ({error})"
            raise ConfigError(message) from error
        return cls.from_dict(table, where=str(path))

    @classmethod
    def from_dict(cls, table: Mapping[str, Any], *, where: str = "settings") -> "DetectorConfig":
        """Build settings from nested plain values, such as a parsed TOML file."""
        parts = {"network": NetworkConfig, "scenes": SceneConfig, "training": TrainingConfig}
        unknown = sorted(set(table) - set(parts))
        if unknown:
            message = f"{where}: unknown table {unknown[0]!r}; expected {', '.join(parts)}"
            raise ConfigError(message)
        return cls(
            network=_build(NetworkConfig, table.get("network", {}), f"{where}: network"),
            scenes=_build(SceneConfig, table.get("scenes", {}), f"{where}: scenes"),
            training=_build(TrainingConfig, table.get("training", {}), f"{where}: training"),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return nested plain values; ``from_dict`` reads them back."""
        return asdict(self)

    def digest(self) -> str:
        """Return the SHA-256 of the settings' canonical JSON."""
        return hashlib.sha256(canonical_json(self.to_dict()).encode()).hexdigest()


def _build(kind: type[Settings], table: Any, where: str) -> Settings:
    if not isinstance(table, Mapping):
        message = f"{where}: expected a table, found {type(table).__name__}"
        raise ConfigError(message)
    known: dict[str, Any] = {item.name: item.type for item in fields(kind)}  # type: ignore[arg-type]
    for key, value in table.items():
        if key not in known:
            message = f"{where}: unknown key {key!r}; expected one of {', '.join(known)}"
            raise ConfigError(message)
        allowed = (int,) if known[key] is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, allowed):
            message = f"{where}: {key} must be a number of type {allowed[-1].__name__}, found {value!r}"
            raise ConfigError(message)
    return kind(**{key: known[key](value) for key, value in table.items()})


def _check(settings: object, name: str, low: float, high: float) -> None:
    value = getattr(settings, name)
    if not low <= value <= high:
        message = f"{name} must lie in [{low}, {high}], found {value}"
        raise ConfigError(message)
