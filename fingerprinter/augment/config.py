"""The ranges of augmentation, and the parameters drawn for one excerpt."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import require_between

__all__ = ["AugmentConfig", "AugmentationParams"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AugmentConfig:
    """Ranges that augmentation is drawn from; probabilities are independent.

    Attributes
    ----------
    snr_db : tuple of float
        Range of the music-to-noise ratio, RMS in 100-7000 Hz, after the room.
    level_dbfs : tuple of float
        Range of the level before clipping and coding.
    max_speed : float in [0, 0.1]
        Largest change of speed, up or down: 0.02 is a third of a semitone.
    p_speed : float in [0, 1]
        Played faster or slower.
    p_gap : float in [0, 1]
        Music missing at one end of the window: a song that just begins, or ended.
    p_speaker, p_room, p_measured : float in [0, 1]
        A loudspeaker's response; any room, and among rooms a measured one.
    p_noise, p_noise_room : float in [0, 1]
        Any noise, and among noises one in the same room as the music.
    p_microphone, p_gain_control, p_clip : float in [0, 1]
        A microphone's response, its automatic gain, clipping.
    p_mulaw, p_opus, p_gsm : float in [0, 1]
        Coded as in the phone's buffer, as in a call over the internet, or as in one of a mobile telephone.
    p_clicks : float in [0, 1]
        One to three clicks of handling, up to 20 dB louder than the rest.
    p_masks : float in [0, 1]
        SpecAugment (Park et al. 2019) on the sound: two bands and two moments missing, each up to a tenth.
    p_overhang : float in [0, 1]
        The window begins before the query or ends after it: nothing there.
    max_overhang : float in [0, 0.5]
        The largest part of a window that does.
    """

    snr_db: tuple[float, float] = (-6.0, 15.0)
    level_dbfs: tuple[float, float] = (-45.0, -6.0)
    max_speed: float = 0.02
    p_speed: float = 0.0
    p_gap: float = 0.1
    p_speaker: float = 0.6
    p_room: float = 0.65
    p_measured: float = 0.2
    p_noise: float = 0.95
    p_noise_room: float = 0.0
    p_microphone: float = 0.8
    p_gain_control: float = 0.0
    p_clip: float = 0.1
    p_mulaw: float = 0.5
    p_opus: float = 0.0
    p_clicks: float = 0.0
    p_masks: float = 0.0
    p_gsm: float = 0.0
    p_overhang: float = 0.0
    max_overhang: float = 0.3

    def __post_init__(self) -> None:
        require_between(self, 0, 1, *(item.name for item in fields(self) if item.name.startswith("p_")))
        require_between(self, 0, 0.1, "max_speed")
        require_between(self, 0, 0.5, "max_overhang")
        if self.snr_db[0] > self.snr_db[1] or self.level_dbfs[0] > self.level_dbfs[1]:
            message = f"ranges must be (low, high): found snr_db {self.snr_db}, level_dbfs {self.level_dbfs}"
            raise ConfigError(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class AugmentationParams:
    """The parameters of one augmented excerpt, which explain a training example.

    Attributes
    ----------
    speed : float
        1 as it was.
    gap_s : float, seconds
    speaker, microphone : BandLimit or None
    room : str
        Empty for none.
    snr_db : float
        Infinite without noise.
    noise_in_room : bool
    level_dbfs : float
    gain_control : float in [0, 1]
        Strength: 1 removes all changes of level.
    click_s : tuple of float
        When clicks begin.
    clip_fraction : float
        Share of samples at the limit.
    codec : str
        Empty for none.
    mask_hz, mask_s : tuple of (float, float)
        Bands and moments left out.
    overhang_s : float, seconds
        Beyond the query: negative at the beginning of the window, positive at its end, 0 for none.
    """

    speed: float
    gap_s: float
    speaker: Any
    room: str
    snr_db: float
    noise_in_room: bool
    microphone: Any
    level_dbfs: float
    gain_control: float
    click_s: tuple[float, ...]
    clip_fraction: float
    codec: str
    mask_hz: tuple[tuple[float, float], ...]
    mask_s: tuple[tuple[float, float], ...]
    overhang_s: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)
