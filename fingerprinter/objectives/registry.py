"""Objectives by name, and the terms added to them."""

from collections.abc import Callable
from typing import Any

from fingerprinter.objectives.config import ObjectiveConfig
from fingerprinter.objectives.nt_xent import nt_xent
from fingerprinter.objectives.regularizers import decorrelation, quantization_error
from fingerprinter.objectives.triplet import hard_positive_triplet, semi_hard_triplet

__all__ = ["OBJECTIVES", "objective"]


OBJECTIVES: dict[str, Callable[..., Any]] = {
    "nt_xent": lambda config, rows, *others, songs=None: nt_xent(rows, config.temperature, *others, songs=songs),
    "triplet_semi_hard": lambda config, rows: semi_hard_triplet(rows, config.margin),
    "triplet_hard_positive": lambda config, rows: hard_positive_triplet(rows, config.margin, config.hardest_share),
}


def objective(config: ObjectiveConfig) -> Callable[..., Any]:
    """Return the function of embeddings, shape (2 n_pairs, dim), that training minimises.

    NT-Xent takes more negatives after them, as :func:`~fingerprinter.objectives.nt_xent.nt_xent` does, and with
    ``songs`` it leaves out those of an anchor's own song.
    """
    main = OBJECTIVES[config.name]

    def loss(embeddings: Any, *others: Any, songs: Any = None) -> Any:
        total = main(config, embeddings, *others, **({} if songs is None else {"songs": songs}))
        if config.decorrelation_weight:
            total = total + config.decorrelation_weight * decorrelation(embeddings)
        if config.quantization_weight:
            total = total + config.quantization_weight * quantization_error(embeddings, config.n_subspaces)
        return total

    return loss
