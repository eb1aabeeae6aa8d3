"""The evidence about TemporalGap: its answers find what is there to be found, and no more."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra")

from evaluation.experiments.gap_evidence import _READERS, entropy, to_markdown


@pytest.fixture
def pairs(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs whose difference in the first number is the share, and shares."""
    share = rng.random(1200)
    first = rng.standard_normal((1200, 4))
    second = first + 0.3 * rng.standard_normal((1200, 4))
    second[:, 0] = first[:, 0] + 3 * share * rng.choice([-1, 1], 1200)
    return np.stack([first, second], axis=1), share


@pytest.mark.parametrize(
    ("how", "least", "most"),
    [("difference", 0.02, 0.2), ("difference, trees", 0.1, 0.2), ("side by side, hidden layer", 0.02, 0.2)],
)
def test_every_reader_finds_a_gap_that_lies_in_the_difference(
    pairs: tuple[np.ndarray, np.ndarray], how: str, least: float, most: float
) -> None:
    vectors, share = pairs
    answer = _READERS[how](vectors[:800], share[:800], vectors[800:])
    nothing = np.full(400, share[:800].mean())
    gained = float((entropy(share[800:], nothing) - entropy(share[800:], answer)).mean())
    assert least < gained < most


def test_no_answer_is_better_than_the_share_itself(rng: np.random.Generator) -> None:
    share = rng.random(500)
    floor = entropy(share, share).mean()
    assert floor == pytest.approx(0.5, abs=0.02), "of shares drawn evenly"
    assert entropy(share, np.clip(share + 0.1, 0, 1)).mean() > floor


def test_the_table_has_a_row_for_each_answer() -> None:
    less = {"difference": -0.02, "low": -0.03, "high": -0.01}
    rows = [
        {"clip_s": span, "answer": answer, "nats": 0.69, "minus": less}
        for span in (5.0, 10.0)
        for answer in ("nothing known", "bands, difference")
    ]
    lines = to_markdown({"n_fitted": 9, "n_asked": 7, "rows": rows}).splitlines()
    assert "| nothing known | 0.690 |  | 0.690 |  |" in lines
    cell = "0.690 | -0.020 (-0.030 to -0.010)"
    assert f"| bands, difference | {cell} | {cell} |" in lines
