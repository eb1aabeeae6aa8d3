"""Annoy over unit vectors: build reproducibly, check the file before Annoy opens it, search.

Annoy's file has no header: a wrong dimension opens silently and a wrong child number reads outside the map. Its layout
is simple, though (nodes of equal size: number of descendants, two children or a list of items, a vector), so that
every number in it is checked here first; the caller has checked size and hash before that.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from annoy import AnnoyIndex
from numpy.typing import NDArray

from nowplaying_core.errors import CorruptArtifactError, DatabaseError, disk_advice
from nowplaying_core.text import native_path
from ondevice_db.format.arrays import sync_file
from ondevice_db.index.normalize import l2_normalize

__all__ = ["DEFAULT_SEARCH_K", "DEFAULT_TREES", "AnnoyVectors", "build_annoy", "check_annoy"]

DEFAULT_TREES = 20
DEFAULT_SEARCH_K = 2000
_MAX_MAGNITUDE = 4.0  # items are unit vectors, splits unit normals; NaN fails the comparison as well


def build_annoy(vectors: NDArray[np.float32], path: Path, *, n_trees: int, seed: int) -> None:
    """Build and save an angular index; equal input gives equal bytes.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, dim)
    path : Path
    n_trees : int >= 1
    seed : int >= 0

    Raises
    ------
    DatabaseError
        When the file cannot be written.
    """
    index = AnnoyIndex(vectors.shape[1], "angular")
    index.set_seed(seed)
    for number, row in enumerate(l2_normalize(vectors)):
        index.add_item(number, row)
    index.build(n_trees, n_jobs=1)
    try:
        _save(index, path)
    except OSError as error:
        known = _named(error)
        message = f"{path}: cannot write the Annoy index ({known}); {disk_advice(known)}"
        raise DatabaseError(message) from error
    sync_file(path)


def check_annoy(path: Path, *, n_items: int, dim: int) -> None:
    """Check every number in an Annoy file that its search would follow.

    Raises
    ------
    CorruptArtifactError
        When the file is not whole nodes of this dimension, a child lies outside or points forward (a loop), or a node's
        count is not the sum of its children's.
    """
    # struct Node { int32 n_descendants; union { int32 children[2]; float norm; }; float v[dim]; }
    node_bytes = 4 * (3 + dim)
    max_leaf = 2 + dim
    size = path.stat().st_size
    if size % node_bytes or size // node_bytes <= n_items:
        message = f"{path}: {size} bytes are not an Annoy index of {n_items} items of {dim} dimensions; rebuild it"
        raise CorruptArtifactError(message)
    nodes = np.fromfile(path, "<i4").reshape(-1, 3 + dim)
    descendants, children = nodes[:, 0], nodes[:, 1:]
    numbers = np.arange(nodes.shape[0])
    inner = numbers >= n_items
    leaf = inner & (descendants <= max_leaf)
    split = inner & (descendants > max_leaf)
    # Roots stand at the end and hold every item; where all items fit one bucket that bucket is a root.
    valid = bool((descendants[:n_items] == 1).all()) and int(descendants[-1]) == n_items
    valid &= bool((descendants[inner] >= 1).all())
    in_list = np.arange(max_leaf)[None, :] < descendants[leaf][:, None]
    members = children[leaf]
    valid &= bool(((members >= 0) & (members < n_items))[in_list].all())
    pair = children[split][:, :2]
    # Annoy makes children before parents; this order rules out a loop, in which a search would never end.
    valid &= bool(((pair >= 0) & (pair < numbers[split][:, None])).all())
    # They share its items out: two splits with a common child would make a search's paths multiply.
    valid = valid and bool((descendants[pair].sum(axis=1, dtype=np.int64) == descendants[split]).all())
    vectors = nodes[:, 3:].view("<f4")
    valid &= bool(
        (np.abs(vectors[:n_items]) <= _MAX_MAGNITUDE).all() and (np.abs(vectors[split]) <= _MAX_MAGNITUDE).all()
    )
    if not valid:
        message = f"{path}: the Annoy index points outside itself, or miscounts; restore or rebuild the database"
        raise CorruptArtifactError(message)


class AnnoyVectors:
    """An opened index.

    Parameters
    ----------
    path : Path
        A file whose size and hash the caller has checked.
    n_items, dim : int
    verified : bool
        Leave out :func:`check_annoy`, for a file that has passed it.

    Raises
    ------
    CorruptArtifactError
        When the file is not an index of that many items and dimensions.
    """

    def __init__(self, path: Path, *, n_items: int, dim: int, verified: bool = False) -> None:
        if not verified:
            check_annoy(path, n_items=n_items, dim=dim)
        self._index = AnnoyIndex(dim, "angular")
        try:
            with _readable_name(path) as name:
                self._index.load(name)
        except OSError as error:
            message = f"{path}: Annoy cannot open the index ({error}); restore or rebuild the database"
            raise CorruptArtifactError(message) from error
        if self._index.get_n_items() != n_items:
            message = f"{path}: expected {n_items} items, Annoy found {self._index.get_n_items()}; rebuild it"
            raise CorruptArtifactError(message)
        self.n_items = n_items

    def nearest(self, queries: NDArray[np.float32], n: int, search_k: int = DEFAULT_SEARCH_K) -> NDArray[np.int64]:
        """Return the items at the smallest angles, nearest first.

        Parameters
        ----------
        queries : ndarray of float32, shape (n_queries, dim)
        n : int >= 1
        search_k : int
            Items that Annoy looks at; more is slower and nearer to exact.

        Returns
        -------
        ndarray of int64, shape (n_queries, n)
            -1 where Annoy found fewer than ``n``.
        """
        found = np.full((queries.shape[0], n), -1, np.int64)
        for row, query in enumerate(queries.tolist()):  # Annoy reads a list faster than an array
            items = self._index.get_nns_by_vector(query, min(n, self.n_items), search_k)
            found[row, : len(items)] = items
        return found


# Annoy takes names as UTF-8 only.
def _save(index: AnnoyIndex, path: Path) -> None:
    try:
        index.save(native_path(path))
    except UnicodeDecodeError:
        with tempfile.TemporaryDirectory() as folder:
            elsewhere = Path(folder) / "index"
            index.save(str(elsewhere))
            shutil.copyfile(elsewhere, path)


def _named(error: OSError) -> OSError:
    """Return an error with its number, which Annoy states in its text only: "Unable to write: ... (28)"."""
    number = re.search(r"\((\d+)\)$", str(error))
    return error if number is None else OSError(int(number[1]), str(error))


@contextmanager
def _readable_name(path: Path) -> Iterator[str]:
    try:
        yield native_path(path)
        return
    except UnicodeDecodeError:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield f"/dev/fd/{descriptor}"
    finally:
        os.close(descriptor)
