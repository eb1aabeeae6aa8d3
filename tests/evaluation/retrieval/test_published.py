import numpy as np
import pytest

from evaluation.retrieval.published import Found, diagonal_mean, majority_sequence
from ondevice_db.index.normalize import l2_normalize

STARTS = np.array([0, 10, 20, 30])


@pytest.mark.parametrize(
    ("nearest", "expected"),
    [
        ([12, 13, 14, 15], Found(1, 2)),
        ([12, 25, 14, 15], Found(1, 2)),  # one neighbor in another song
        ([12, 13, 17, 18], Found(1, 2)),  # half of a sequence is enough, and of two the earlier is taken
        ([12, 17, 10, 25], Found(1, -1)),  # the song, but no sequence of it
        ([25], Found(2, 5)),
        ([-1, 13, -1, 15], Found(1, 2)),
        ([-1, -1], Found(-1, -1)),
    ],
)
def test_majority_then_sequence(nearest: list[int], expected: Found) -> None:
    assert majority_sequence(np.array(nearest), STARTS) == expected


def test_diagonal_takes_the_best_sequence_not_the_best_hit(rng: np.random.Generator) -> None:
    vectors = l2_normalize(rng.standard_normal((30, 8)))
    queries = l2_normalize(vectors[14:18] + 0.3 * rng.standard_normal((4, 8)) / np.sqrt(8))
    nearest = np.array([[14, 3], [28, 15], [5, 16], [-1, 9]])
    assert diagonal_mean(queries, nearest, vectors.__getitem__, STARTS) == Found(1, 4)
    assert diagonal_mean(queries, np.full((4, 2), -1), vectors.__getitem__, STARTS) == Found(-1, -1)


def test_diagonal_counts_what_lies_beyond_the_end_as_nothing(rng: np.random.Generator) -> None:
    vectors = l2_normalize(rng.standard_normal((30, 8)))
    queries = np.concatenate([vectors[28:30], l2_normalize(rng.standard_normal((2, 8)))])
    assert diagonal_mean(queries, np.array([[28], [29], [-1], [-1]]), vectors.__getitem__, STARTS) == Found(2, 8)
