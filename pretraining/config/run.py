"""The settings of a pretraining run: readable without Keras, from TOML; unknown keys are errors."""

from dataclasses import dataclass, field
from typing import Final, Literal

from fingerprinter.augment.config import AugmentConfig
from fingerprinter.config import FrontEndConfig
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import (
    RunSettings,
    require_between,
    require_counts,
    require_not_negative,
    require_positive,
    require_seed,
)
from pretraining.config.bits import BitConfig
from pretraining.config.codes import CodeConfig
from pretraining.config.decoder import DecoderConfig

__all__ = ["LEVELS_NAME", "METHOD_NAMES", "EncoderConfig", "MethodConfig", "PretrainingConfig", "default_front_end"]

COMPARED: Final = ("side by side", "difference")
_OF_CLIPS: Final = ("temporal_gap", "cola")  # two slices anywhere in a clip
LEVELS_NAME: Final = "levels.json"
METHOD_NAMES: Final = (
    "audio2vec_cbow",
    "audio2vec_skipgram",
    "temporal_gap",
    "autoencoder",
    "diffusion_autoencoder",
    "triplet",
    "nt_xent",
    "cola",
    "supervised",
    "kmeans_codes",
    "vq_codes",
    "binary_codes",
    "random",
)


def default_front_end() -> FrontEndConfig:
    """Return the audio encoder's front end: 96 frames of 20 ms, 10 ms apart, 64 mel bands of 60-7800 Hz (as COLA)."""
    return FrontEndConfig(
        window_samples=15_360, fft_samples=320, hop_samples=160, n_mels=64, low_hz=60.0, high_hz=7_800.0
    )


def _gentle() -> AugmentConfig:
    """Return degradations that leave pitch and timbre: no change of speed, no gaps, and noise that stays behind."""
    return AugmentConfig(snr_db=(0.0, 20.0), p_gap=0.0, p_speaker=0.3, p_room=0.4, p_noise=0.7, p_microphone=0.5)


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderConfig:
    """The small encoder.

    Attributes
    ----------
    channels : tuple of int
        Of each block, a 3x1 and a 1x3 convolution that halve mel and time.
    dim : int
        Numbers of an embedding.
    pooled : bool
        Whether only the greatest value of each channel is left before the dense layer; if not, also where it was.
    """

    channels: tuple[int, ...] = (8, 16, 32, 64, 128)
    dim: int = 128
    pooled: bool = True

    def __post_init__(self) -> None:
        require_counts(self, "channels", "dim", table="encoder")


@dataclass(frozen=True, kw_only=True, slots=True)
class MethodConfig:
    """What the methods have of their own; each says in its file which it reads.

    Attributes
    ----------
    n_context : int >= 1
        Slices on either side of the middle one.
    gap_s : float >= 0, seconds
        Between neighbouring slices. Five slices of 0.96 s and their gaps fit in the five seconds of ESC-10.
    clip_s : float > 0, seconds
        From which two slices are drawn; AudioSet's clips have ten. What a transformer over codes sees.
    near_s : float > 0, seconds
        Largest distance of a triplet's positive from its anchor.
    margin : float > 0
        Of the triplet loss, in squared distance.
    temperature : float > 0
        Of NT-Xent.
    units : int
        Of a method's own hidden layer.
    compared : str
        How a head sees two embeddings: "side by side", or their absolute "difference".
    degraded : bool
        The second view passes through loudspeaker, room, noise and microphone.
    """

    n_context: int = 2
    gap_s: float = 0.02
    clip_s: float = 10.0
    near_s: float = 0.5
    margin: float = 0.4
    temperature: float = 0.1
    units: int = 128
    compared: Literal["side by side", "difference"] = "side by side"
    degraded: bool = True

    def __post_init__(self) -> None:
        require_positive(self, "n_context", "clip_s", "near_s", "margin", "temperature", "units", table="objective")
        require_not_negative(self, "gap_s", table="objective")
        if self.compared not in COMPARED:
            message = f"objective.compared: expected one of {', '.join(COMPARED)}, found {self.compared!r}"
            raise ConfigError(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class PretrainingConfig(RunSettings):
    """One run.

    Attributes
    ----------
    method : str
        One of ``METHOD_NAMES``.
    seed : int in [0, 2^32)
    n_steps, clips_per_step : int
    learning_rate : float
        Peak of Adam's rate; cosine decay to zero at ``n_steps``.
    warmup_steps : int >= 0
        In which the rate rises to its peak.
    checkpoint_every : int
        Steps.
    music_share, speech_share : float
        Of the clips; the rest is noise. A recording too short for a drawn clip is passed over, and its group is drawn
        anew: of methods with slices far apart, groups of long recordings have more.
    recordings_share : float in (0, 1]
        Of the music, where rendered MIDI is given as well.
    past_s : float
        Audio before a slice, whose reverberation reaches into the slice.
    n_simulated_rooms : int
    front_end : FrontEndConfig
    encoder : EncoderConfig
    objective : MethodConfig
    codes : CodeConfig
    bits : BitConfig
    decoder : DecoderConfig
        Read by the methods that have such a part.
    augment : AugmentConfig
    """

    method: str
    seed: int = 1
    n_steps: int = 2000
    clips_per_step: int = 128
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    checkpoint_every: int = 100
    music_share: float = 0.4
    speech_share: float = 0.3
    recordings_share: float = 0.65
    past_s: float = 0.512
    n_simulated_rooms: int = 400
    front_end: FrontEndConfig = field(default_factory=default_front_end)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    objective: MethodConfig = field(default_factory=MethodConfig)
    codes: CodeConfig = field(default_factory=CodeConfig)
    bits: BitConfig = field(default_factory=BitConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    augment: AugmentConfig = field(default_factory=_gentle)

    def __post_init__(self) -> None:
        if self.method not in METHOD_NAMES:
            message = f"method: expected one of {', '.join(METHOD_NAMES)}, found {self.method!r}"
            raise ConfigError(message)
        require_counts(self, "n_steps", "checkpoint_every", "n_simulated_rooms")
        require_positive(self, "learning_rate", "recordings_share")
        require_between(self, 0, 1, "recordings_share")
        require_not_negative(self, "warmup_steps", "past_s")
        require_seed(self)
        if self.clips_per_step < 2:
            message = f"clips_per_step must be at least 2, found {self.clips_per_step}"
            raise ConfigError(message)
        if min(self.music_share, self.speech_share) < 0 or self.music_share + self.speech_share > 1:
            message = f"music_share and speech_share are shares of one: found {self.music_share}, {self.speech_share}"
            raise ConfigError(message)
        self._require_time()

    def _require_time(self) -> None:
        """Check that a method has room for what it draws."""
        window_s, rate = self.front_end.window_s, self.front_end.sample_rate_hz
        if self.method in _OF_CLIPS and round(self.objective.clip_s * rate) <= self.front_end.window_samples:
            message = (
                f"objective.clip_s: expected more than a window of {window_s:g} s, found {self.objective.clip_s:g}"
            )
            raise ConfigError(message)
        if self.method == "triplet" and round(self.objective.near_s * rate) < 1:
            message = f"objective.near_s: expected a sample at {rate} Hz or more, found {self.objective.near_s:g} s"
            raise ConfigError(message)

    @property
    def needs_perceptual_encoder(self) -> bool:
        """Whether the run compares images by another run's encoder."""
        return self.method == "diffusion_autoencoder" and self.decoder.perceptual_weight > 0
