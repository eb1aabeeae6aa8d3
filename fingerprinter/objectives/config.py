"""The settings of an objective; readable without Keras."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import require_between, require_counts, require_not_negative, require_positive

__all__ = ["OBJECTIVE_NAMES", "ObjectiveConfig"]

OBJECTIVE_NAMES: Final = ("nt_xent", "triplet_semi_hard", "triplet_hard_positive")


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectiveConfig:
    """What training minimises.

    Attributes
    ----------
    name : str
        One of ``OBJECTIVE_NAMES``.
    temperature : float > 0
        Of NT-Xent.
    margin : float > 0
        Of the triplet losses, in squared distance.
    hardest_share : float in (0, 1]
        Of ``triplet_hard_positive``.
    decorrelation_weight, quantization_weight, distillation_weight : float >= 0
        Of the terms added; 0 leaves them out. The last needs a teacher.
    n_subspaces : int
        Parts of a vector that a code will have.
    code_noise : float in [0, 1]
        Sum of squares of the noise added to half of the references in training, as coding adds it; 0.2 for 12 bytes.
    coded_share : float in [0, 1]
        Share of references that are compared as codes of ``n_subspaces`` bytes decode, learned with the encoder.
    same_song_negatives : bool
        Whether NT-Xent takes other windows of an anchor's own song in the batch for negatives.
    n_memory : int >= 0
        References of earlier steps that are negatives of NT-Xent too.
    """

    name: str = "nt_xent"
    temperature: float = 0.06
    margin: float = 0.4
    hardest_share: float = 0.5
    decorrelation_weight: float = 0.0
    quantization_weight: float = 0.0
    distillation_weight: float = 0.0
    n_subspaces: int = 12
    code_noise: float = 0.0
    coded_share: float = 0.0
    same_song_negatives: bool = True
    n_memory: int = 0

    def __post_init__(self) -> None:
        if self.name not in OBJECTIVE_NAMES:
            message = f"objective: expected one of {', '.join(OBJECTIVE_NAMES)}, found {self.name!r}"
            raise ConfigError(message)
        require_positive(self, "temperature", "margin", "hardest_share", table="objective")
        require_between(self, 0, 1, "hardest_share", table="objective")
        require_counts(self, "n_subspaces", table="objective")
        weights = ("decorrelation_weight", "quantization_weight", "distillation_weight")
        require_not_negative(self, *weights, "n_memory", table="objective")
        require_between(self, 0, 1, "code_noise", "coded_share", table="objective")
        if (self.n_memory or not self.same_song_negatives) and self.name != "nt_xent":
            message = f"objective: n_memory and same_song_negatives belong to nt_xent, found {self.name}"
            raise ConfigError(message)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)
