"""What a database could keep of fingerprints so that it gives less away: shorter codes, noise, a secret rotation."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.experiments.secret_rotation import secret_rotation
from evaluation.retrieval.library import Library
from evaluation.retrieval.matching import System, match_all
from nowplaying_core.errors import ConfigError
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.codebook_files import codebook_names, load_codebook
from ondevice_db.index.normalize import l2_normalize
from ondevice_db.index.pq import PqIndex
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.settings import FingerprintSettings
from ondevice_db.store.store import SongDatabase

__all__ = ["StoredForm", "forms_of", "rank1"]

Rows = NDArray[np.float32]
_BYTES = (24, 16, 12, 8, 6)
_NOISES = (0.5, 1.0, 2.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredForm:
    """A way to keep unit vectors.

    Attributes
    ----------
    name : str
    defence : {"none", "codes", "noise", "rotation"}
    codebook : Codebook or None
        Of the codes; None keeps floats.
    noise : float
        Length of the Gaussian noise that is added to a unit vector, on average.
    rotation : ndarray of float32, shape (dim, dim), or None
        The device's secret, by which stored vectors and queries are turned.
    """

    name: str
    defence: Literal["none", "codes", "noise", "rotation"]
    codebook: Codebook | None = None
    noise: float = 0.0
    rotation: Rows | None = None

    def stored(self, vectors: Rows, rng: np.random.Generator) -> Rows:
        """Return the vectors that are stored, before codes; silence stays zero."""
        kept = vectors if self.rotation is None else vectors @ self.rotation
        if self.noise:
            added = rng.standard_normal(kept.shape, np.float32) * np.float32(self.noise / np.sqrt(kept.shape[1]))
            kept = l2_normalize(np.where(kept.any(axis=1, keepdims=True), kept + added, np.float32(0)))
        return kept

    def read(self, vectors: Rows, rng: np.random.Generator) -> Rows:
        """Return what somebody reads who holds the database and not the secret."""
        kept = self.stored(vectors, rng)
        if self.codebook is None:
            return kept
        decoded = self.codebook.decode(*self.codebook.quantize(kept))
        return np.where(kept.any(axis=1, keepdims=True), decoded, np.float32(0))


def forms_of(model: Path, seed: int) -> list[StoredForm]:
    """Return the forms that are compared: floats, codes of a model's lengths, noise, and a rotation."""
    default = load_codebook(model)
    codebooks = {n: default if n == default.n_subspaces else load_codebook(model, codebook_names(n)) for n in _BYTES}
    rotation = secret_rotation(default.dim, np.random.default_rng([seed, 7]))
    return [
        StoredForm(name="floats", defence="none"),
        *(StoredForm(name=f"{n}-byte codes", defence="codes", codebook=one) for n, one in codebooks.items()),
        *(StoredForm(name=f"floats, noise of {noise:g}", defence="noise", noise=noise) for noise in _NOISES),
        StoredForm(name="floats, rotated", defence="rotation", rotation=rotation),
        StoredForm(
            name=f"{default.n_subspaces}-byte codes, rotated", defence="rotation", rotation=rotation, codebook=default
        ),
    ]


def rank1(
    form: StoredForm,
    library: Library,
    queries: Rows,
    true_songs: NDArray[np.int64],
    *,
    hop_s: float,
    folder: Path,
) -> NDArray[np.bool_]:
    """Return for each query whether its song comes first, asked of a database of that form.

    Parameters
    ----------
    form : StoredForm
    library : Library
        Of floats.
    queries : ndarray of float32, shape (n, n_fingerprints, dim)
    true_songs : ndarray of int64, shape (n,)
    hop_s : float, seconds
        Between query fingerprints.
    folder : Path
        For the database while it is asked.
    """
    kept = form.stored(library.vectors, np.random.default_rng(0))
    search: Literal["pq", "exact"] = "exact" if form.codebook is None else "pq"
    if search == "exact" and form.rotation is None:
        return match_all(System(library=replace(library, vectors=kept), search="exact", hop_s=hop_s), queries).correct(
            library, true_songs
        )
    asked = queries if form.rotation is None else queries @ form.rotation
    database = folder / f"{form.name.replace(' ', '-')}.npdb"
    stored = _written(form, library, kept, database)
    try:
        return match_all(System(library=stored, search=search, hop_s=hop_s), asked).correct(library, true_songs)
    finally:
        shutil.rmtree(database)


def _written(form: StoredForm, library: Library, kept: Rows, database: Path) -> Library:
    """Write a library's songs as they are kept, with the cohort that scores are compared with turned alike."""
    own = SongDatabase.open(library.database)
    names = ("embedding_space", "encoder", "dim", "hop_s", "window_s")
    settings = FingerprintSettings(**{name: getattr(own.manifest, name) for name in names})
    if not isinstance(own.index, PqIndex):
        message = f"{library.database}: expected a database of codes, found another layout"
        raise ConfigError(message)
    cohort, codebook = own.index.cohort, form.codebook or own.index.codebook
    if form.rotation is not None:  # the map of smoothing was fitted to vectors that are not turned
        cohort, codebook = np.ascontiguousarray(cohort @ form.rotation), codebook.unsmoothed()
    codebook = replace(codebook, cohort=cohort)
    shutil.rmtree(database, ignore_errors=True)
    with DatabaseWriter(database, settings=settings, codebook=codebook) as writer:
        for song in range(own.n_songs):
            writer.add(own.track(song), kept[library.song_starts[song] : library.song_starts[song + 1]])
        writer.finish()
    return replace(library, vectors=kept, database=database)
