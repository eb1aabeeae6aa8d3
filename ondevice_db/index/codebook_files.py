"""A codebook's files, in a model's folder and in a database: which there are, how they are written and read."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nowplaying_core.errors import ConfigError, CorruptArtifactError
from ondevice_db.format.arrays import open_array, save_array
from ondevice_db.format.words import STEP_TYPE, WORD_TYPE, pack_words, unpack_words
from ondevice_db.index.codebook import CODEBOOK_ROLES, PRODUCT_ROLES, RESIDUAL_ROLES, Codebook

__all__ = ["codebook_names", "has_codebook", "load_codebook", "save_codebook"]


def save_codebook(codebook: Codebook, folder: Path, names: dict[str, str] | None = None) -> None:
    """Write the arrays of its `roles` that have a name; by default ``codebook_centroids.npy`` and so on."""
    numbers, steps = pack_words(codebook.pq_centroids) if codebook.kind == "residual" else (None, None)
    names = names or codebook_names()
    for role in codebook.roles:
        if role in names:
            array = {"words": numbers, "word_steps": steps}.get(role)
            save_array(folder / names[role], getattr(codebook, role) if array is None else array)


def load_codebook(
    folder: Path,
    names: dict[str, str] | None = None,
    *,
    cohort: NDArray[np.float32] | None = None,
    check: bool = True,
) -> Codebook:
    """Memory-map what :func:`save_codebook` wrote.

    Parameters
    ----------
    folder : Path
    names : dict of role to file name, optional
        Without the role "smoothing" nothing is smoothed. Words are those of residual codes where their file exists.
    cohort : ndarray of float32, shape (n, dim), optional
    check : bool
        False leaves out :meth:`Codebook.check`, for files that have passed it.

    Raises
    ------
    CorruptArtifactError
        When an array is missing, unreadable, or of a shape that does not fit the others.
    """
    names = names or codebook_names()

    def stored(role: str, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        return open_array(folder / names[role], dtype)

    arrays = {role: stored(role) for role in ("centroids", "rotation")}
    if cohort is not None:
        arrays["cohort"] = cohort
    is_residual = "words" in names and (folder / names["words"]).exists()
    try:
        if is_residual:
            arrays["pq_centroids"] = unpack_words(stored("words", WORD_TYPE), stored("word_steps", STEP_TYPE))
            if "smoothing" in names:
                arrays["smoothing"] = stored("smoothing")
        else:
            arrays["pq_centroids"] = stored("pq_centroids")
        codebook = Codebook(**arrays)
        if not is_residual and codebook.kind == "residual":
            message = (
                f"{folder / names['pq_centroids']}: expected words of residual codes in whole numbers, found "
                "floats of an unreleased version; publish or index again"
            )
            raise CorruptArtifactError(message)
    except (ConfigError, IndexError) as error:
        message = f"{folder}: {error}; restore or train the codebook again"
        raise CorruptArtifactError(message) from error
    if check:
        codebook.check()
    return codebook


def codebook_names(code_bytes: int | None = None) -> dict[str, str]:
    """Return a model folder's file names: of its default codebook, or of the one with codes of so many bytes.

    All share the cells; ``codebook_rotation_8.npy`` and so on go with them.
    """
    names = {role: f"codebook_{role}.npy" for role in CODEBOOK_ROLES}
    if code_bytes is not None:
        names |= {role: f"codebook_{role}_{code_bytes}.npy" for role in CODEBOOK_ROLES if role != "centroids"}
    return names


def has_codebook(folder: Path, names: dict[str, str]) -> bool:
    """Return whether all files of a codebook are there, of either kind."""
    kinds = (PRODUCT_ROLES, RESIDUAL_ROLES)
    return any(all((folder / names[role]).is_file() for role in roles) for roles in kinds)
