"""Settings of a fingerprinter training, read from TOML; unknown keys are errors."""

import json
import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from fingerprinter.augment.config import AugmentConfig
from fingerprinter.config import EncoderConfig, FrontEndConfig
from fingerprinter.objectives.config import ObjectiveConfig
from nowplaying.errors import ConfigError

__all__ = ["TrainingConfig", "merged"]

_HOPS = ("reference_hop_s", "query_hop_s")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingConfig:
    """One training run.

    Attributes
    ----------
    seed : int
    n_steps, pairs_per_step : int
    learning_rate : float
        Peak of Adam's rate after ``warmup_steps``; cosine decay to zero at ``n_steps``.
    max_shift_s : float
        Largest distance between the clean and the degraded window.
    past_s : float
        Audio before the window that a room's tail is heard from.
    n_simulated_rooms : int
    checkpoint_every, validate_every : int
        Steps.
    n_validation_queries : int
        Dev queries whose top-1 the log shows.
    reference_hop_s, query_hop_s : float > 0, seconds
        Between fingerprints in a database and in a query, by default, of the model that comes out.
    recordings_share : float in (0, 1]
        Share of pairs from recordings where renderings are given as well.
    noise_share : float in (0, 1]
        Share of noises that are not speech.
    babble_share : float in [0, 1]
        Share of noises that are several voices at once.
    quantization_aware : bool
        Train with convolutions and activations on their int8 grids.
    """

    seed: int = 1
    n_steps: int = 3000
    pairs_per_step: int = 256
    learning_rate: float = 2e-3
    warmup_steps: int = 100
    max_shift_s: float = 0.5
    past_s: float = 1.024
    n_simulated_rooms: int = 1200
    checkpoint_every: int = 100
    validate_every: int = 500
    n_validation_queries: int = 400
    reference_hop_s: float = 1.0
    query_hop_s: float = 0.5
    recordings_share: float = 0.65
    noise_share: float = 0.6
    babble_share: float = 0.0
    quantization_aware: bool = False
    front_end: FrontEndConfig = field(default_factory=FrontEndConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        for name in ("n_steps", "pairs_per_step", "learning_rate", "checkpoint_every", "validate_every", *_HOPS):
            if getattr(self, name) <= 0:
                message = f"{name} must be positive, found {getattr(self, name)}"
                raise ConfigError(message)

    @classmethod
    def read(cls, path: Path) -> "TrainingConfig":
        """Read a TOML file; one with a ``base`` holds the changes to the file of that name in the same folder.

        Raises
        ------
        ConfigError
            When the file is missing, is not TOML, or holds an unknown or wrong setting; names the file.
        """
        try:
            return cls.from_dict(_settings(path))
        except (OSError, ValueError, TypeError) as error:
            message = f"{path}: {error}"
            raise ConfigError(message) from error

    @classmethod
    def from_json(cls, path: Path) -> "TrainingConfig":
        """Read the ``config.json`` of a run; errors as in :meth:`read`."""
        try:
            return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            message = f"{path}: {error}"
            raise ConfigError(message) from error

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainingConfig":
        """Build settings from plain values, as :meth:`to_dict` gives them; ValueError or TypeError for wrong ones."""
        kinds = {
            "front_end": FrontEndConfig,
            "encoder": EncoderConfig,
            "objective": ObjectiveConfig,
            "augment": AugmentConfig,
        }
        tables = {name: _construct(kind, _with_tuples(values.get(name, {}))) for name, kind in kinds.items()}
        settings: TrainingConfig = _construct(cls, {**values, **tables})
        return settings

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the run's record."""
        return asdict(self)


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return settings with changes, table by table."""
    result = dict(base)
    for name, value in changes.items():
        result[name] = merged(result.get(name, {}), value) if isinstance(value, dict) else value
    return result


def _settings(path: Path, read: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Return the settings of a file on top of those of its base."""
    if path in read:
        message = f"its base leads back to {path.name}"
        raise ConfigError(message)
    changes = tomllib.loads(path.read_text(encoding="utf-8"))
    base = changes.pop("base", None)
    return changes if base is None else merged(_settings(path.parent / str(base), (*read, path)), changes)


def _with_tuples(table: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def _construct(kind: Any, values: dict[str, Any]) -> Any:
    known = {item.name for item in fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        message = f"unknown settings {unknown}: expected some of {sorted(known)}"
        raise ConfigError(message)
    return kind(**values)
