"""Songs that are played backwards: the same excerpt turned round, and every query counted once."""

import json
from pathlib import Path

import numpy as np
import pytest

from evaluation.experiments.backwards import Asked, main, to_markdown, turned_round
from evaluation.retrieval.conditions import Condition
from evaluation.retrieval.queries import Query
from nowplaying_core.audio import SAMPLE_RATE_HZ


@pytest.mark.parametrize(("length_s", "start_s"), [(3.0, 1.25), (8.0, 2.0), (8.0, 0.0)])
def test_the_excerpt_is_the_same_turned_round(rng: np.random.Generator, length_s: float, start_s: float) -> None:
    samples = rng.standard_normal(12 * SAMPLE_RATE_HZ).astype(np.float32)
    query = Query(path=Path("a"), start_s=start_s, noise=1, noise_start=0.5, simulated_room=2, measured_room=3)
    turned, whole = turned_round(query, samples, Condition(length_s=length_s))
    n, first, start = (round(one * SAMPLE_RATE_HZ) for one in (length_s, start_s, turned.start_s))
    np.testing.assert_array_equal(whole[start : start + n], samples[first : first + n][::-1])
    assert (turned.noise, turned.simulated_room) == (1, 2)


def test_only_named_queries_are_refused_and_by_half() -> None:
    asked = Asked(
        named=np.array([True, True, True, False]),
        leads=np.array([0.2, -np.inf, 0.015, 0.3]),
        tracks=["a", "b", "b", "c"],
        halves=np.array([0, 1, 1, 0]),
    )
    result = asked.to_dict(1)
    assert [result[name]["count"] for name in ("named", "kept", "refused")] == [3, 2, 1]
    by_lead = {row["lead"]: row["halves"] for row in result["refused_by_lead"]}
    assert (by_lead[0.0], by_lead[0.01], by_lead[0.02]) == ([1, 1], [1, 1], [1, 0])


def test_every_condition_is_asked_both_ways(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "backwards.json"
    main(["--corpus", str(corpus), "--cache-dir", str(tmp_path / "cache"), "--queries", "4", "--out", str(out)])
    result = json.loads(out.read_text(encoding="utf-8"))
    assert [row["condition"] for row in result["rows"]] == [
        "5 dB, 8 s",
        "0 dB, room, 8 s",
        "5 dB, 3 s",
        "0 dB, room, 3 s",
    ]
    for row in result["rows"]:
        for way in ("forwards", "backwards"):
            found = row[way]
            assert found["n"] == 4
            assert found["named"]["count"] == found["kept"]["count"] + found["refused"]["count"]
            totals = [sum(one["halves"]) for one in found["refused_by_lead"]]
            assert totals == sorted(totals, reverse=True)
    first, second = to_markdown(result).split("\n\n")
    assert (len(first.splitlines()), len(second.splitlines())) == (2 + 4, 2 + 8)
