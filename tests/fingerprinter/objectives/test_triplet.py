import numpy as np
import pytest

pytest.importorskip("keras", reason="the train extra is not installed")

from fingerprinter.objectives.triplet import hard_positive_triplet, semi_hard_triplet

pytestmark = pytest.mark.train


def unit(rng: np.random.Generator, n_rows: int, dim: int) -> np.ndarray:
    rows = rng.standard_normal((n_rows, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def written_out(rows: np.ndarray, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Return every anchor's loss and partner distance, one loop at a time."""
    losses, partners = [], []
    n = len(rows)
    for anchor in range(n):
        partner = (anchor + n // 2) % n
        far = [float(np.sum((rows[anchor] - row).astype(np.float64) ** 2)) for row in rows]
        strangers = [far[other] for other in range(n) if other not in (anchor, partner)]
        beyond = [distance for distance in strangers if distance > far[partner]]
        negative = min(beyond) if beyond else max(strangers)
        losses.append(max(0.0, far[partner] - negative + margin))
        partners.append(far[partner])
    return np.array(losses), np.array(partners)


@pytest.mark.parametrize("margin", [0.1, 0.4, 2.0])
def test_semi_hard_equals_the_loops(rng: np.random.Generator, margin: float) -> None:
    rows = unit(rng, 12, 5)
    rows[6:] = rows[:6] + 0.3 * rows[6:]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    losses, _ = written_out(rows, margin)
    assert float(semi_hard_triplet(rows, margin)) == pytest.approx(losses.mean(), abs=1e-4)


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_hard_positives_are_the_anchors_with_the_farthest_partners(rng: np.random.Generator, share: float) -> None:
    rows = unit(rng, 16, 4)
    losses, partners = written_out(rows, 0.5)
    kept = np.argsort(-partners)[: round(16 * share)]
    assert float(hard_positive_triplet(rows, 0.5, share)) == pytest.approx(losses[kept].mean(), abs=1e-4)


def test_pairs_that_are_one_point_far_from_all_others_cost_nothing() -> None:
    corners = np.eye(4, dtype=np.float32)
    assert float(semi_hard_triplet(np.concatenate([corners, corners]), 0.4)) == pytest.approx(0.0, abs=1e-6)
