"""Which codebook a new database gets: the shipped one, or one trained on its own fingerprints."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError, MissingExtraError
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.codebook_files import codebook_names, has_codebook, load_codebook
from ondevice_db.index.train_codebook import MIN_POINTS_PER_CELL, default_n_cells, train_codebook, with_smoothing

__all__ = ["CODE_BYTES", "CodebookChoice", "shipped_codebook"]

_LOG = logging.getLogger(__name__)

CODE_BYTES = (6, 8, 12, 16, 24)
# Finer cells bring speed, not accuracy: below this many times the shipped ones they are not worth the training.
_WORTH_TRAINING = 4
_FEWEST_FINGERPRINTS = 40_000  # whose rotation and sub-quantizers generalise: 39 for each of 1,024 cells
_MOST_FINGERPRINTS = 700_000  # 270 MB of them


@dataclass(frozen=True, kw_only=True, slots=True)
class CodebookChoice:
    """A user's choice of a new database's codebook.

    Attributes
    ----------
    source : {"auto", "shipped", "own"}
        "own" trains cells, as many as the size calls for, and a quantizer of the shipped kind on the database's own
        fingerprints; "auto" does so if the collection is large enough for a faster search and faiss is installed, else
        takes the shipped one.
    code_bytes : int, optional
        Of a fingerprint: 6, 8, 12, 16 or 24; by default as many as the shipped codebook's.
    """

    source: Literal["auto", "shipped", "own"] = "auto"
    code_bytes: int | None = None

    def __post_init__(self) -> None:
        if self.source not in {"auto", "shipped", "own"}:
            message = f"codebook: expected 'auto', 'shipped' or 'own', found {self.source!r}"
            raise ConfigError(message)
        if self.code_bytes is not None and self.code_bytes not in CODE_BYTES:
            message = f"code_bytes: expected one of {', '.join(map(str, CODE_BYTES))}, found {self.code_bytes!r}"
            raise ConfigError(message)

    def make(self, shipped: Codebook, lengths: Sequence[int], load: Callable[[int], NDArray[np.float32]]) -> Codebook:
        """Return the codebook for songs.

        Parameters
        ----------
        shipped : Codebook
            With the wanted number of bytes, or another where the model ships none with it.
        lengths : sequence of int
            Fingerprints of each song.
        load : callable
            Returns the fingerprints of a song by its number, shape (n, dim).

        Raises
        ------
        ConfigError
            When the fingerprints are too few to train what was asked for.
        MissingExtraError
            When it needs training and faiss is not installed.
        """
        n = int(np.sum(lengths))
        n_bytes = self.code_bytes or shipped.n_subspaces
        n_cells = default_n_cells(n)
        fits = n_bytes == shipped.n_subspaces
        if fits and (
            self.source == "shipped" or (self.source == "auto" and n_cells < _WORTH_TRAINING * shipped.n_cells)
        ):
            return shipped
        if self.source == "shipped" or n < _FEWEST_FINGERPRINTS:
            advice = "use the shipped codebook" if fits else f"none of {n_bytes} bytes is shipped: index more music"
            message = (
                f"codebook: training takes {_FEWEST_FINGERPRINTS} fingerprints (about {_FEWEST_FINGERPRINTS // 3600} h "
                f"of music), found {n}; {advice}"
            )
            raise ConfigError(message)
        try:
            trained = train_codebook(_sample(lengths, load, n_cells), n_cells, n_subspaces=n_bytes, kind=shipped.kind)
        except MissingExtraError:
            if not fits or self.source == "own":
                raise
            _LOG.warning("faiss is not installed: the shipped codebook is used, with %d cells", shipped.n_cells)
            return shipped
        every = max(n // _FEWEST_FINGERPRINTS, 1)
        trained = with_smoothing(trained, [load(number) for number in range(0, len(lengths), every)])
        return replace(trained, cohort=shipped.cohort)


def shipped_codebook(folder: Path, code_bytes: int | None = None) -> Codebook:
    """Return a model's codebook with codes of so many bytes, or its default one where it ships no such."""
    if code_bytes is not None:
        names = codebook_names(code_bytes)
        if has_codebook(folder, names):
            return load_codebook(folder, names)
    return load_codebook(folder)


def _sample(lengths: Sequence[int], load: Callable[[int], NDArray[np.float32]], n_cells: int) -> NDArray[np.float32]:
    """Return evenly spread fingerprints of all songs, enough for the cells and never more than memory bears."""
    wanted = min(max(2 * MIN_POINTS_PER_CELL * n_cells, _FEWEST_FINGERPRINTS), _MOST_FINGERPRINTS)
    total = int(np.sum(lengths))
    chosen = np.unique(np.linspace(0, total - 1, min(wanted, total)).astype(np.int64))
    ends = np.cumsum(lengths)
    parts = []
    for number, rows in enumerate(np.split(chosen, np.searchsorted(chosen, ends[:-1]))):
        if rows.size:
            vectors = load(number)[rows - (ends[number] - lengths[number])]
            parts.append(vectors[vectors.any(axis=1)])
    return np.concatenate(parts)
