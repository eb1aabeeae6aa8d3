"""The settings of a privacy audit: readable without Keras, from TOML; unknown keys are errors."""

from dataclasses import dataclass, field

from fingerprinter.config import FrontEndConfig
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import RunSettings, require_not_negative, require_positive, require_seed
from pretraining.config.decoder import DecoderConfig
from pretraining.config.run import PretrainingConfig

__all__ = ["AuditConfig"]


def _decoder() -> DecoderConfig:
    return DecoderConfig(perceptual_weight=0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditConfig(RunSettings):
    """An attacker's means: how much sound is known, and how long a decoder learns.

    Attributes
    ----------
    seed : int in [0, 2^32)
    n_steps, images_per_step : int
        Of the training of each decoder.
    learning_rate : float
        Peak of Adam's rate; cosine decay to zero at ``n_steps``.
    warmup_steps : int >= 0
        In which the rate rises to its peak.
    checkpoint_every : int
        Steps.
    n_windows : int
        Of the ``train`` split, with their fingerprints; single words of it come on top.
    music_share, speech_share : float
        Of the windows; the rest is noise.
    words_share : float in [0, 1)
        Of what a step draws.
    sampling_steps : int
    classifier_steps, classifier_seeds : int
        Of the networks that tell digits and speakers.
    most_windows : int
        Of one test recording.
    decoder : DecoderConfig
        Without a perceptual and an adversarial part: the audit has neither a second encoder nor a critic.
    """

    seed: int = 1
    n_steps: int = 2000
    images_per_step: int = 32
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    checkpoint_every: int = 100
    n_windows: int = 12_000
    music_share: float = 0.5
    speech_share: float = 0.4
    words_share: float = 0.25
    sampling_steps: int = 10
    classifier_steps: int = 400
    classifier_seeds: int = 5  # of two, Student's t leaves next to nothing known
    most_windows: int = 8
    decoder: DecoderConfig = field(default_factory=_decoder)

    def __post_init__(self) -> None:
        require_positive(self, "n_steps", "learning_rate", "checkpoint_every", "n_windows", "sampling_steps")
        require_positive(self, "classifier_steps", "classifier_seeds", "most_windows")
        require_not_negative(self, "warmup_steps")
        require_seed(self)
        if self.images_per_step < 2:
            message = f"images_per_step must be at least 2, found {self.images_per_step}"
            raise ConfigError(message)
        if min(self.music_share, self.speech_share) < 0 or self.music_share + self.speech_share > 1:
            message = f"music_share and speech_share are shares of one: found {self.music_share}, {self.speech_share}"
            raise ConfigError(message)
        if not 0 <= self.words_share < 1:
            message = f"words_share must lie in [0, 1), found {self.words_share}"
            raise ConfigError(message)
        if self.decoder.perceptual_weight or self.decoder.adversarial_weight:
            message = "audit: a decoder learns with diffusion_weight and mse_weight alone; set the other weights to 0"
            raise ConfigError(message)
        if min(self.decoder.diffusion_weight, self.decoder.mse_weight) <= 0:
            message = (
                "audit: expected a diffusion_weight and an mse_weight above 0, for a decoder that samples and one that "
                f"gives the mean, found {self.decoder.diffusion_weight} and {self.decoder.mse_weight}"
            )
            raise ConfigError(message)

    def sounds(self, front_end: FrontEndConfig) -> PretrainingConfig:
        """Return the settings that name the sound to learn from: as recorded, in the audited model's windows."""
        return PretrainingConfig(
            method="random",
            seed=self.seed,
            music_share=self.music_share,
            speech_share=self.speech_share,
            n_simulated_rooms=1,
            front_end=front_end,
        )
