"""The settings of a fingerprint: one frozen object that the Keras graph, the runtime and the manifest all read."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import require_counts, require_positive

__all__ = ["ENCODER_NAMES", "MASK_STARTS", "EncoderConfig", "FrontEndConfig"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FrontEndConfig:
    """Log-mel front end: 64 ms frames every 32 ms over a 2.048 s window.

    Attributes
    ----------
    sample_rate_hz : int
    window_samples : int
        Audio that one fingerprint covers; a multiple of ``hop_samples``.
    fft_samples : int
        Frame length; twice ``hop_samples``, so that a frame is two hop blocks side by side.
    hop_samples : int
    n_mels : int
    low_hz, high_hz : float
        Edges of the mel filter bank. Phones and speakers pass little below 160 Hz.
    floor : float
        Added to the mel power of the window scaled to unit RMS; flattens what is 50 dB below white noise.
    scale : float
        Divides the natural log-mel after its window mean is removed, so that values lie in about [-3, 3].
    clip : float
        Limit of the output's magnitude, the int8 encoder's input range.
    """

    sample_rate_hz: int = 16_000
    window_samples: int = 32_768
    fft_samples: int = 1_024
    hop_samples: int = 512
    n_mels: int = 96
    low_hz: float = 160.0
    high_hz: float = 7_000.0
    floor: float = 1e-5
    scale: float = 3.0
    clip: float = 4.0

    def __post_init__(self) -> None:
        require_counts(self, "n_mels", table="front_end")
        require_positive(self, "scale", "clip", table="front_end")
        if self.fft_samples != 2 * self.hop_samples:
            message = f"fft_samples must be twice hop_samples: found {self.fft_samples} and {self.hop_samples}"
            raise ConfigError(message)
        if self.window_samples <= 0 or self.window_samples % self.hop_samples:
            message = f"window_samples must be a positive multiple of hop_samples: found {self.window_samples}"
            raise ConfigError(message)
        if not 0 < self.low_hz < self.high_hz <= self.sample_rate_hz / 2:
            message = f"need 0 < low_hz < high_hz <= {self.sample_rate_hz / 2}: found {self.low_hz}, {self.high_hz}"
            raise ConfigError(message)

    @property
    def n_frames(self) -> int:
        """Frames a window: one every hop, centred, so that the window's edges are covered."""
        return self.window_samples // self.hop_samples

    @property
    def spectrum_samples(self) -> int:
        """FFT length: the frame's, with zeros up to the next power of two, which TFLite's transform asks for."""
        return 1 << (self.fft_samples - 1).bit_length()

    @property
    def window_s(self) -> float:
        """Audio that one fingerprint covers, in seconds."""
        return self.window_samples / self.sample_rate_hz

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the manifest."""
        return asdict(self)


ENCODER_NAMES: Final = ("compact", "nafp", "now_playing", "attention", "audio2vec")
MASK_STARTS: Final = ("random", "identity")


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderConfig:
    """Which network turns a log-mel image into a unit vector, and how large it is.

    Attributes
    ----------
    name : str
        One of ``ENCODER_NAMES``; each is a file in ``fingerprinter/encoders``.
    width : float > 0
        Factor on the channels of the encoders after a paper; 1.0 is the paper's size.
    channels : tuple of int
        Of ``compact``: output channels of the 3x3 stem and of each pair of a 1x3 (time) and a 3x1 (mel) convolution;
        the stem and each pair halve both axes. Of ``audio2vec``: of each of its pairs of convolutions.
    dim : int
        Embedding dimensions; the flattened features are split into as many branches.
    branch_units : int
        Hidden units of each branch of the head.
    attention : bool
        Of ``attention``: whether the mask is applied at all, for comparison.
    mask_start : {"random", "identity"}
        Of ``attention``: the mask begins with random weights and a scale of 100 as in the paper, or with zero weights
        and the number of bands times that of frames as its scale, which leaves features as they are.
    masked_blocks : tuple of int in [1, 6]
        Of ``attention``: the residual blocks whose outputs are masked.
    """

    name: str = "compact"
    width: float = 1.0
    channels: tuple[int, ...] = (32, 64, 128, 192, 320)
    dim: int = 96
    branch_units: int = 16
    attention: bool = True
    mask_start: str = "random"
    masked_blocks: tuple[int, ...] = (2,)

    def __post_init__(self) -> None:
        if self.name not in ENCODER_NAMES:
            message = f"encoder: expected one of {', '.join(ENCODER_NAMES)}, found {self.name!r}"
            raise ConfigError(message)
        if self.mask_start not in MASK_STARTS:
            message = f"encoder: expected mask_start to be one of {', '.join(MASK_STARTS)}, found {self.mask_start!r}"
            raise ConfigError(message)
        if not set(self.masked_blocks) <= set(range(1, 7)):
            message = f"encoder: expected masked_blocks from 1 to 6, found {self.masked_blocks}"
            raise ConfigError(message)
        require_counts(self, "channels", "dim", "branch_units", table="encoder")
        require_positive(self, "width", table="encoder")

    def scaled(self, channels: int, multiple: int = 8) -> int:
        """Return a paper's number of channels at this width, as a positive multiple."""
        return max(multiple, round(channels * self.width / multiple) * multiple)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the manifest."""
        return {**asdict(self), "channels": list(self.channels), "masked_blocks": list(self.masked_blocks)}
