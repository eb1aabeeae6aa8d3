"""Settings of the detector: network, composed scenes, training; read from TOML, where unknown keys are errors."""

import hashlib
from dataclasses import dataclass, field, fields

from detector.features import N_CHANNELS
from detector.network import DECISION_FRAMES
from nowplaying_core.artifacts import canonical_json
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import RunSettings, require_between

__all__ = ["DetectorConfig", "NetworkConfig", "SceneConfig", "TrainingConfig"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkConfig:
    """Shape of the network: separable convolutions of stride 2 without padding, over time alone.

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
        require_between(self, 1, 10_000, *(item.name for item in fields(self)))
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
        Start of a scene that windows skip while the front end adapts, at least 5 s.
    snr_low_db, snr_high_db : float
        Music against its background, RMS from 100 to 7000 Hz.
    level_low_dbfs, level_high_dbfs : float
        RMS of a scene.
    music_share : float in [0, 1]
        Scenes with music.
    midi_share : float in [0, 1]
        Scenes with music in which it is rendered MIDI, where there is any.
    room_share, band_limit_share, codec_share : float in [0, 1]
    stretched_share : float in [0, 1]
        Excerpts of training recordings played faster or slower.
    synthetic_share : float in [0, 1]
        Scenes with music in which it is synthetic: drones, drums alone, voices alone.
    transformed_share : float in [0, 1]
        Recordings of music, in the other scenes, that are transformed: smeared to a wash, a distant bass, the drums
        alone or everything but the drums.
    varied_share : float in [0, 1]
        Backgrounds, and music, whose recordings are recoloured, and noises that are played far faster or slower,
        backwards, or over one or two others, so that no recording is learnt by heart.
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
    synthetic_share: float = 0.0
    transformed_share: float = 0.0
    varied_share: float = 0.0

    def __post_init__(self) -> None:
        require_between(self, 5, 60, "preroll_s")
        require_between(self, self.preroll_s + 5, 600, "duration_s")
        require_between(self, -30, self.snr_high_db, "snr_low_db")
        require_between(self, -90, self.level_high_dbfs, "level_low_dbfs")
        require_between(self, -90, 0, "level_high_dbfs")
        require_between(self, 0, 1, *(item.name for item in fields(self) if item.name.endswith("_share")))


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingConfig:
    """How the network is trained.

    Attributes
    ----------
    seed : int
    n_scenes, n_check_scenes : int
        Scenes composed for training, and of the ``dev`` split for measuring the ROC area meanwhile.
    batch_segments, n_decisions : int
        Segments of a step, and overlapping windows (one every 640 ms) in a segment.
    steps, warmup_steps : int
    learning_rate : float
        Peak of the cosine schedule.
    quantized_steps : int
        More steps with simulated int8 weights and activations, batch normalization folded.
    quantized_learning_rate : float
    label_smoothing : float in [0, 0.5)
    cold_share : float in [0, 1]
        Segments cut right at a reset instead of after the pre-roll.
    extreme_share : float in [0, 1]
        Segments of silence, near silence and full scale, all without music, so that the network's range and its int8
        grids cover everything that a microphone can put out.
    mined_share : float in [0, 1]
        Segments drawn from hard examples: those that the network gets most wrong.
    mine_every : int
        Float steps between searches for hard examples in all training scenes.
    music_fraction : float in (0, 1]
        Smallest part of a window that must be music for label 1; windows with less music, but some, are not used.
    masked_share : float in [0, 1]
        Segments with up to two bands and two moments silenced.
    teacher_weight : float in [0, 1]
        The teacher's part of a target, where there is a teacher; the rest is the label's.
    teacher_temperature : float > 0
        Divides the teacher's logits.
    doubted_below, doubted_above : float in [0, 1]
        A label of music counts for nothing where the teacher's probability is less than the first, and one of no music
        where it is more than the second.
    log_every : int
        Steps between lines of the log and checkpoints.
    held_out_fold : int in [0, held_out_of), or None
        Fold of the sources of ``train`` (:class:`detector.training.folds.HeldOut`) that is not learned from, so that a
        gate can be chosen on its streams; None: everything is learned from.
    held_out_of : int >= 2
        Number of such folds.
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
    masked_share: float = 0.0
    teacher_weight: float = 0.7
    teacher_temperature: float = 1.0
    doubted_below: float = 0.0
    doubted_above: float = 1.0
    log_every: int = 500
    held_out_fold: int | None = None
    held_out_of: int = 8

    def __post_init__(self) -> None:
        require_between(self, 0, 2**31, "seed")
        counts = ("n_scenes", "n_check_scenes", "batch_segments", "n_decisions", "steps", "mine_every", "log_every")
        require_between(self, 1, 10**7, *counts)
        require_between(self, 0, self.steps - 1, "warmup_steps")
        require_between(self, 0, 10**7, "quantized_steps")
        require_between(self, 1e-7, 1, "learning_rate", "quantized_learning_rate")
        require_between(self, 0, 0.49, "label_smoothing")
        require_between(self, 0, 1, "cold_share", "extreme_share", "mined_share", "masked_share")
        require_between(self, 0, 1, "teacher_weight", "doubted_below", "doubted_above")
        require_between(self, 0.1, 100, "teacher_temperature")
        require_between(self, 0.01, 1, "music_fraction")
        require_between(self, 2, 1_000, "held_out_of")
        require_between(self, 0, self.held_out_of - 1, *(() if self.held_out_fold is None else ("held_out_fold",)))


@dataclass(frozen=True, kw_only=True, slots=True)
class DetectorConfig(RunSettings):
    """All settings that a trained detector depends on.

    Attributes
    ----------
    network : NetworkConfig
    scenes : SceneConfig
    training : TrainingConfig
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    scenes: SceneConfig = field(default_factory=SceneConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        shape = self.network
        fits = (shape.n_channels, shape.stride, shape.decision_frames) == (N_CHANNELS, 2, DECISION_FRAMES)
        if not fits or shape.kernel_frames <= shape.stride:
            message = (
                f"network: a stream has {N_CHANNELS} channels and six layers of stride 2 and three taps or more, found "
                f"{shape.n_channels} channels and {shape.n_layers} layers of stride {shape.stride} with "
                f"{shape.kernel_frames} taps"
            )
            raise ConfigError(message)

    def digest(self) -> str:
        """Return the SHA-256 of the settings' canonical JSON."""
        return hashlib.sha256(canonical_json(self.to_dict()).encode()).hexdigest()
