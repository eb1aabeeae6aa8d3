import resource
from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.errors import CorruptArtifactError, DatabaseError
from ondevice_db.index.annoy_cells import AnnoyVectors, build_annoy, check_annoy
from ondevice_db.index.normalize import l2_normalize

N_CELLS, DIM = 1024, 96


@pytest.fixture(scope="module")
def centroids() -> np.ndarray:
    rng = np.random.default_rng(4)
    return l2_normalize(rng.standard_normal((N_CELLS, DIM)) + 0.7 * rng.standard_normal(DIM))


@pytest.fixture(scope="module")
def path(centroids: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("annoy") / "cells.ann"
    build_annoy(centroids, file, n_trees=20, seed=0)
    return file


def test_cells_agree_with_brute_force(centroids: np.ndarray, path: Path, rng: np.random.Generator) -> None:
    queries = l2_normalize(centroids[:200] + 0.1 * rng.standard_normal((200, DIM)))
    exact = np.argsort(-queries @ centroids.T, axis=1)[:, :20]
    found = AnnoyVectors(path, n_items=N_CELLS, dim=DIM).nearest(queries, 20)
    recall = np.mean([len(set(a) & set(b)) / 20 for a, b in zip(exact, found, strict=True)])
    assert recall >= 0.98
    few = AnnoyVectors(path, n_items=N_CELLS, dim=DIM).nearest(queries, 20, search_k=20)
    assert np.mean([len(set(a) & set(b)) / 20 for a, b in zip(exact, few, strict=True)]) < recall


def test_what_stops_its_writing_is_named_with_advice(centroids: np.ndarray, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(DatabaseError, match=r"File too large.*raise the limit"):
            build_annoy(centroids, tmp_path / "cells.ann", n_trees=1, seed=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_build_repeats_byte_for_byte(centroids: np.ndarray, path: Path, tmp_path: Path) -> None:
    build_annoy(centroids, tmp_path / "again.ann", n_trees=20, seed=0)
    assert (tmp_path / "again.ann").read_bytes() == path.read_bytes()
    build_annoy(centroids, tmp_path / "other.ann", n_trees=20, seed=1)
    assert (tmp_path / "other.ann").read_bytes() != path.read_bytes()


@pytest.mark.parametrize("n", [1, 2, 50, 98, 99, 300])
def test_any_number_of_cells_passes_its_own_check(n: int, centroids: np.ndarray, tmp_path: Path) -> None:
    build_annoy(centroids[:n], tmp_path / "a.ann", n_trees=20, seed=0)
    found = AnnoyVectors(tmp_path / "a.ann", n_items=n, dim=DIM).nearest(centroids[:1], n)
    assert found[0, 0] == 0
    assert set(found[0]) <= set(range(n))


@pytest.mark.parametrize(("n_items", "dim"), [(N_CELLS, 95), (N_CELLS, 128), (N_CELLS - 1, DIM), (5 * N_CELLS, DIM)])
def test_wrong_counts_are_refused_before_annoy_opens(path: Path, n_items: int, dim: int) -> None:
    with pytest.raises(CorruptArtifactError):
        check_annoy(path, n_items=n_items, dim=dim)


@pytest.mark.parametrize("change", ["child outside", "loop", "shared", "member outside", "negative", "count", "nan"])
def test_numbers_that_lead_outside_are_refused(path: Path, tmp_path: Path, change: str) -> None:
    nodes = np.fromfile(path, "<i4").reshape(-1, 3 + DIM)
    inner = np.arange(len(nodes)) >= N_CELLS
    split = int(np.flatnonzero(inner & (nodes[:, 0] > DIM + 2))[0])
    leaf = int(np.flatnonzero(inner & (nodes[:, 0] <= DIM + 2))[0])
    if change == "child outside":
        nodes[split, 1] = len(nodes) + 7
    elif change == "loop":
        nodes[split, 1] = split
    elif change == "shared":
        nodes[split, 1] = nodes[split, 2]
    elif change == "member outside":
        nodes[leaf, 1] = N_CELLS + 3
    elif change == "negative":
        nodes[leaf, 1] = -5
    elif change == "count":
        nodes[-1, 0] = 17
    else:
        nodes[3, 10] = np.array([np.nan], "<f4").view("<i4")[0]
    nodes.tofile(tmp_path / "bad.ann")
    with pytest.raises(CorruptArtifactError, match="outside itself"):
        AnnoyVectors(tmp_path / "bad.ann", n_items=N_CELLS, dim=DIM)


def test_truncated_and_empty_files_are_refused(path: Path, tmp_path: Path) -> None:
    content = path.read_bytes()
    for size in (0, 1, 396, 396 * N_CELLS, len(content) - 1):
        (tmp_path / "cut.ann").write_bytes(content[:size])
        with pytest.raises(CorruptArtifactError):
            AnnoyVectors(tmp_path / "cut.ann", n_items=N_CELLS, dim=DIM)
