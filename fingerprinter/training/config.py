"""Settings of a fingerprinter training, read from TOML; unknown keys are errors."""

from dataclasses import dataclass, field

from fingerprinter.augment.config import AugmentConfig
from fingerprinter.config import EncoderConfig, FrontEndConfig
from fingerprinter.objectives.config import ObjectiveConfig
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import (
    RunSettings,
    require_between,
    require_counts,
    require_not_negative,
    require_positive,
    require_seed,
)

__all__ = ["TrainingConfig"]

_HOPS = ("reference_hop_s", "query_hop_s")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingConfig(RunSettings):
    """One training run.

    Attributes
    ----------
    seed : int in [0, 2^32)
    n_steps, pairs_per_step : int
    learning_rate : float
        Peak of Adam's rate; cosine decay to zero at ``n_steps``.
    warmup_steps : int >= 0
        In which the rate rises to its peak.
    cooldown_steps : int >= 0
        The decay takes this many last steps, and the peak stays until then; 0 decays from the warm-up on.
    max_shift_s : float
        Largest distance between the clean and the degraded window.
    past_s : float
        Audio before the window, for the reverberation in it.
    n_simulated_rooms : int
    checkpoint_every, validate_every : int
        Steps.
    n_validation_queries : int
        Queries whose top-1 the log shows as ``dev_top1``, from the ``dev`` music unless recordings are held out.
    n_held_out : int >= 0
        Recordings of the ``train`` split that are validated on instead of the ``dev`` music, and not trained on.
    reference_hop_s, query_hop_s : float > 0, seconds
        Default time between fingerprints in a database and in a query of the trained model.
    query_overhang_s : float >= 0, seconds
        By how much windows reach beyond a short query's ends; see :mod:`fingerprinter.overhang`.
    query_overhang_below_s : float > 0, seconds
        Length from which on a query has no overhang.
    recordings_share : float in (0, 1]
        Share of pairs from recordings where rendered MIDI is given as well.
    noise_share : float in (0, 1]
        Share of noises that are not speech.
    babble_share : float in [0, 1]
        Share of noises that are several voices at once.
    neighbors_share : float in [0, 1]
        Share of pairs from the recording of the pair before.
    mixed_share : float in [0, 1]
        Share of pairs whose degraded window holds other music or a voice, mixed before the loudspeaker.
    average_decay : float in [0, 1)
        Weights are averaged over steps with this decay, and the average is kept; 0 keeps the last weights.
    quantization_aware : bool
        Train with weights and activations rounded as int8 rounds them.
    front_end : FrontEndConfig
    encoder : EncoderConfig
    objective : ObjectiveConfig
    augment : AugmentConfig
    """

    seed: int = 1
    n_steps: int = 3000
    pairs_per_step: int = 256
    learning_rate: float = 2e-3
    warmup_steps: int = 100
    cooldown_steps: int = 0
    max_shift_s: float = 0.5
    past_s: float = 1.024
    n_simulated_rooms: int = 1200
    checkpoint_every: int = 100
    validate_every: int = 500
    n_validation_queries: int = 400
    n_held_out: int = 0
    reference_hop_s: float = 1.0
    query_hop_s: float = 0.5
    query_overhang_s: float = 0.0
    query_overhang_below_s: float = 8.0
    recordings_share: float = 0.65
    noise_share: float = 0.6
    babble_share: float = 0.0
    neighbors_share: float = 0.3
    mixed_share: float = 0.0
    average_decay: float = 0.0
    quantization_aware: bool = False
    front_end: FrontEndConfig = field(default_factory=FrontEndConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        counts = ("n_steps", "pairs_per_step", "checkpoint_every", "validate_every", "n_validation_queries")
        require_counts(self, *counts, "n_simulated_rooms")
        require_positive(self, "learning_rate", "recordings_share", "noise_share", *_HOPS)
        shares = ("recordings_share", "noise_share", "babble_share", "neighbors_share", "mixed_share")
        require_between(self, 0, 1, *shares)
        lengths = ("warmup_steps", "cooldown_steps", "max_shift_s", "past_s")
        require_not_negative(self, "n_held_out", *lengths)
        require_seed(self)
        require_between(self, 0, self.front_end.window_s / 2, "query_overhang_s")
        require_positive(self, "query_overhang_below_s")
        if not 0 <= self.average_decay < 1:
            message = f"average_decay: expected at least 0 and below 1, found {self.average_decay:g}"
            raise ConfigError(message)
