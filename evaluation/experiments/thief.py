"""Somebody who reads a database of songs and owns other music: how much of each song's melody they rebuild."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from evaluation.experiments.secret_rotation import found_by_self_similarity, learned_rotation
from evaluation.experiments.stored_forms import StoredForm
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import write_arrays
from nowplaying_core.errors import ConfigError

if TYPE_CHECKING:
    from pretraining.audit.melody import Attacker
    from pretraining.audit.passages import Passages

__all__ = ["RIDGE", "Thief", "kept_passages"]

_log = logging.getLogger(__name__)

Arrays = dict[str, NDArray[Any]]
Rows = NDArray[np.float32]
RIDGE: Final = "ridge regression"
_N_DRAWS: Final = 2
_N_COMPARED: Final = 24  # fingerprints of a song, for its self-similarity


def kept_passages(
    file: Path,
    paths: Sequence[Path],
    model: Fingerprinter,
    cache_dir: Path,
    *,
    hop_s: float,
    delays_s: Sequence[float] = (0.0,),
) -> "Passages":
    """Return songs with their melodies, from a file if they have been read before."""
    from pretraining.audit.passages import Passages, read_passages

    names = ("vectors", "melodies", "songs", "runs")
    if not file.is_file():
        _log.info("reading %d recordings", len(paths))
        read = read_passages(paths, model, cache_dir, hop_s=hop_s, delays_s=delays_s)
        write_arrays(file, {name: getattr(read, name) for name in names})
    with np.load(file, allow_pickle=False) as kept:
        return Passages(**{name: kept[name] for name in names})


@dataclass
class Thief:
    """What a thief has.

    Attributes
    ----------
    own : Passages
        Songs that are not in the database, to learn from.
    read : Passages
        The database's songs; of these the thief sees the stored vectors.
    copies : Passages
        Recordings of the database's songs that begin a little later, to find out a rotation with.
    """

    own: "Passages"
    read: "Passages"
    copies: "Passages"
    _last: tuple[tuple[str, int, str, int], "Attacker"] | None = field(default=None, init=False)

    def require_comparable(self) -> None:
        """Refuse songs of which none is long enough for its self-similarity.

        Raises
        ------
        ConfigError
        """
        if not set(_songs(self.read)) & set(_songs(self.copies)):
            message = f"expected a song of at least {_N_COMPARED} fingerprints in the split `dev`, found none"
            raise ConfigError(message)

    def rebuild(self, form: StoredForm, n_context: int, attack: str, seed: int) -> Arrays:
        """Return how far the melodies agree that an attack makes from a database of a form.

        Returns
        -------
        dict
            ``melody``, ``strongest`` and ``of_another`` (recording), each of shape (n_windows,).
        """
        stored = form.read(self.read.vectors, np.random.default_rng(0))
        return self._judged(self._attacker(form, n_context, attack, seed), stored, n_context)

    def rebuild_turned(self, plain: StoredForm, turned: StoredForm, n_context: int, n_owned: int) -> Arrays:
        """Return the same of a rotated form, for a thief who owns some of the songs and no secret.

        The attack is ridge regression. With none of the songs, the vectors are read as if they were not turned. What is
        rebuilt of songs that are owned is not counted, and NaN where a window was never asked.

        Parameters
        ----------
        plain, turned : StoredForm
            Without and with the rotation.
        n_context : int, odd
        n_owned : int >= 0
        """
        stored = turned.read(self.read.vectors, np.random.default_rng(0))
        attacker = self._attacker(plain, n_context, RIDGE, 1)
        if n_owned == 0:
            return self._judged(attacker, stored, n_context)
        draws = []
        for draw in range(_N_DRAWS):
            owned, rotation = self._rotation(stored, n_owned, np.random.default_rng([draw, n_owned]))
            if turned.codebook is None:
                found = self._judged(attacker, stored @ rotation.T, n_context)
            else:  # the thief stores music of their own as the device does
                guessed = replace(turned, name=f"{turned.name}, guess {draw} of {n_owned}", rotation=rotation)
                found = self._judged(self._attacker(guessed, n_context, RIDGE, 1), stored, n_context)
            hidden = np.isin(self.read.songs[self.read.sounding], owned)
            draws.append({name: np.where(hidden, np.nan, values) for name, values in found.items()})
        return {name: _mean_of_asked([one[name] for one in draws]) for name in draws[0]}

    def find_songs(self, turned: StoredForm) -> Arrays:
        """Return for each rotated song whether its self-similarity names it, among the copies and the thief's songs."""
        stored = turned.read(self.read.vectors, np.random.default_rng(0))
        songs, copies, others = _songs(self.read, stored), _songs(self.copies), _songs(self.own)
        both = sorted(set(songs) & set(copies))
        found = found_by_self_similarity(
            [songs[song] for song in both],
            [*(copies[song] for song in both), *others.values()],
            _N_COMPARED,
        )
        return {"found": found == np.arange(len(both)), "n_copies": np.array(len(both) + len(others))}

    def _rotation(self, stored: Rows, n_owned: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], Rows]:
        """Return the songs that are owned, and the rotation that they tell."""
        owned = rng.permutation(np.unique(self.read.songs))[:n_owned]
        pairs = []
        for song in owned:
            first, second = (np.flatnonzero(one.songs == song) for one in (self.copies, self.read))
            n = min(len(first), len(second))
            pairs.append(np.stack([self.copies.vectors[first[:n]], stored[second[:n]]]))
        own, theirs = np.concatenate(pairs, axis=1)
        return owned, learned_rotation(own, theirs)

    def _attacker(self, form: StoredForm, n_context: int, attack: str, seed: int) -> "Attacker":
        from pretraining.audit.melody import ATTACKS, Known

        key = (form.name, n_context, attack, seed)
        if self._last is None or self._last[0] != key:
            self._last = None  # its memory
            self._last = (key, ATTACKS[attack](Known.of(self.own, form.read, n_context), seed))
        return self._last[1]

    def _judged(self, attacker: "Attacker", stored: Rows, n_context: int) -> Arrays:
        from pretraining.audit.chroma import chroma_agreement, less_usual, strongest_agreement
        from pretraining.audit.passages import beside, neighbours

        sounding = self.read.sounding
        rebuilt = attacker(beside(stored, neighbours(self.read.runs, n_context)[sounding])).astype(np.float64)
        rebuilt, melodies = less_usual(rebuilt), self.read.melodies[sounding].astype(np.float64)
        elsewhere = np.roll(melodies, len(melodies) // 2, axis=0)
        return {
            "melody": chroma_agreement(rebuilt, melodies),
            "strongest": strongest_agreement(rebuilt, melodies),
            "of_another": chroma_agreement(rebuilt, elsewhere),
        }


def _songs(passages: "Passages", vectors: Rows | None = None) -> dict[int, Rows]:
    """Return the fingerprints of each song's first reading, of songs that are long enough."""
    found: dict[int, Rows] = {}
    for run in np.unique(passages.runs):
        rows = np.flatnonzero(passages.runs == run)
        if len(rows) >= _N_COMPARED:
            found.setdefault(int(passages.songs[rows[0]]), (passages.vectors if vectors is None else vectors)[rows])
    return found


def _mean_of_asked(draws: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the mean over the draws in which a window was asked; NaN where it was in none."""
    together = np.stack(draws)
    n_asked = np.sum(~np.isnan(together), axis=0)
    return np.where(n_asked > 0, np.nansum(together, axis=0) / np.maximum(n_asked, 1), np.nan)
