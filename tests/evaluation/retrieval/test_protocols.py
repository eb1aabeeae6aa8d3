"""The literature's protocols, run on a small corpus with the shipped model."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.retrieval import grid, grid_report, protocols, rank1
from evaluation.retrieval.conditions import Condition
from evaluation.retrieval.embedding import EmbeddingCache
from evaluation.retrieval.library import Library, grow_library
from evaluation.retrieval.open_set import evaluate_open_set, precision_recall
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, builtin_model_dir
from nowplaying_core.errors import ConfigError
from ondevice_db.index.codebook_files import load_codebook
from tests.changed_models import changed_fingerprinter

MODEL = builtin_model_dir(SHIPPED_FINGERPRINTER)


@pytest.fixture(params=["attention-qbe", "nafp"])
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a protocol whose conditions need no simulated rooms, which take a minute."""
    whole = protocols.GRIDS[request.param]
    tables = {"noise": (Condition(snr_db=10.0, mulaw=False), Condition(snr_db=0.0, mulaw=False))}
    monkeypatch.setattr(grid, "GRIDS", {request.param: replace(whole, tables=tables, hop_s=0.5)})
    return request.param


def test_grid_runs_repeats_and_reports(small: str, corpus: Path, tmp_path: Path) -> None:
    results = [
        grid.evaluate_grid(small, MODEL, corpus, tmp_path / cache, n_queries=6, lengths_s=(1.0, 2.0, 5.0), exact=True)
        for cache in ("cache", "another")
    ]
    result = results[0]
    assert result == results[1]
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    # One second is less than the model's window.
    assert {row["length_s"] for row in result["rows"]} == {2.0, 5.0}
    retrieval = "majority" if small == "attention-qbe" else "diagonal"
    systems = {f"{retrieval}, exact", f"{retrieval}, pq", "ours, exact", "ours, pq", "landmarks"}
    assert {row["system"] for row in result["rows"]} == systems
    for row in result["rows"]:
        assert 0 <= row["segment"]["count"] <= row["segment_near"]["count"] <= row["song"]["count"] <= 6
        assert row["timestamps"]["count"] == row["segment"]["count"] <= row["timestamps"]["n"]
        if (row["length_s"], row["snr_db"]) == (5.0, 10.0):
            assert row["song"]["count"] >= 5, row["system"]
    text = grid_report.grid_to_markdown(result)
    assert "## Noise: songs" in text
    assert text.count("| landmarks |") == 4  # of songs and of timestamps, at two lengths
    grid_report.plot_grid(result, tmp_path / "grid.png")
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")


def test_answers_without_a_position_leave_no_infinite_median() -> None:
    placed = grid.timestamps(np.array([0.01, 0.04, 3.0]), 0.1)
    assert (placed["n"], placed["count"], placed["median_s"]) == (3, 2, 0.04)
    mostly_unplaced = grid.timestamps(np.array([0.01, np.inf, np.inf]), 0.1)
    assert (mostly_unplaced["n"], mostly_unplaced["count"], mostly_unplaced["median_s"]) == (3, 1, None)
    assert grid.timestamps(np.empty(0), 0.1)["median_s"] is None


def test_a_baseline_gets_the_same_queries(small: str, corpus: Path, tmp_path: Path) -> None:
    result = grid.evaluate_grid(small, MODEL, corpus, tmp_path / "cache", n_queries=6, lengths_s=(2.0,), baseline=MODEL)
    scores = {(row["condition"], row["system"]): row["song"]["count"] for row in result["rows"]}
    pairs = [(condition, system) for condition, system in scores if system.startswith("baseline: ")]
    assert len(pairs) == 4
    for condition, system in pairs:
        assert scores[condition, system] == scores[condition, system.removeprefix("baseline: ")]
    assert f"The baseline is {result['baseline']}" in grid_report.grid_to_markdown(result)


def test_a_larger_collection_is_named_and_searched_exhaustively_for_short_queries_alone(
    small: str, corpus: Path, tmp_path: Path
) -> None:
    def grow(embeddings: EmbeddingCache, library: Library) -> grid.Beside:
        codebook = load_codebook(embeddings.fingerprinter.folder.path)
        grown = grow_library(library, [library.vectors[:3]], 64, tmp_path / "grown.npdb", codebook, mean_duration_s=9.0)
        return grid.Beside(grown, {"strange": 1, "synthetic": 64})

    folder = tmp_path / "cache"
    result = grid.evaluate_grid(
        small, MODEL, corpus, folder, n_queries=6, lengths_s=(2.0, 5.0), grow=grow, published_exact_to_s=2.0
    )
    plain = grid.evaluate_grid(small, MODEL, corpus, folder, n_queries=6, lengths_s=(5.0,))
    assert result["n_songs"] == plain["n_songs"] + 65
    assert result["beside"] == {"strange": 1, "synthetic": 64}
    retrieval = "majority" if small == "attention-qbe" else "diagonal"
    systems = {(row["length_s"], row["system"]) for row in result["rows"]}
    coded = {(length_s, system) for length_s in (2.0, 5.0) for system in (f"{retrieval}, pq", "ours, pq")}
    assert systems == coded | {(2.0, f"{retrieval}, exact")}
    assert "of which 1 strange and 64 synthetic" in grid_report.grid_to_markdown(result)
    assert "of which" not in grid_report.grid_to_markdown(plain)


def test_windows_of_ours_overhang_short_queries_and_those_of_a_paper_do_not(
    small: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = changed_fingerprinter(tmp_path / "model", {"query_overhang_s": 1.0, "query_overhang_below_s": 3.0})
    asked: dict[str, list[tuple[float, int]]] = {"ours": [], "published": []}
    ask_matcher, ask_published = grid.ask_matcher, grid.ask_published

    def ours(system, queries, *, first_s, **options):
        asked["ours"].append((first_s, queries.shape[1]))
        return ask_matcher(system, queries, first_s=first_s, **options)

    def published(system, queries, *rest, **options):
        asked["published"].append((0.0, queries.shape[1]))
        return ask_published(system, queries, *rest, **options)

    monkeypatch.setattr(grid, "ask_matcher", ours)
    monkeypatch.setattr(grid, "ask_published", published)
    result = grid.evaluate_grid(small, model, corpus, tmp_path / "cache", n_queries=6, lengths_s=(2.0, 5.0))
    # Of 2.048 s, one each half second; the query of two seconds has one of them, and with a second at both ends four.
    assert set(asked["ours"]) == {(-1.0, 4), (0.0, 6)}
    assert set(asked["published"]) == {(0.0, 1), (0.0, 6)}
    assert "reach 1 s beyond queries of 2 s," in grid_report.grid_to_markdown(result)
    for row in result["rows"]:
        if (row["length_s"], row["snr_db"], row["system"]) == (2.0, 10.0, "ours, pq"):
            assert row["song"]["count"] >= 5
            assert row["timestamps"]["count"] >= 4  # the place is that of the query's first sample
    plain = grid.evaluate_grid(small, MODEL, corpus, tmp_path / "cache", n_queries=6, lengths_s=(5.0,))
    assert "beyond" not in grid_report.grid_to_markdown(plain)


def test_a_grid_that_was_stopped_goes_on(
    small: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, begun = grid._answers, []

    def stopped(run, condition, *rest, **options):
        begun.append(condition.name)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return answers(run, condition, *rest, **options)

    def evaluate(n_queries: int = 6):
        return grid.evaluate_grid(small, MODEL, corpus, tmp_path / "cache", n_queries=n_queries, lengths_s=(2.0,))

    monkeypatch.setattr(grid, "_answers", stopped)
    with pytest.raises(KeyboardInterrupt):
        evaluate()
    result = evaluate()
    assert len(begun) == 3
    assert evaluate() == result
    assert len(begun) == 3
    evaluate(5)  # other queries are not those that were answered
    assert len(begun) == 5


def test_unknown_protocols_and_short_lengths_are_refused(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected one of attention-qbe, nafp"):
        grid.evaluate_grid("other", MODEL, corpus, tmp_path)
    with pytest.raises(ConfigError, match="at least the model's"):
        grid.evaluate_grid("nafp", MODEL, corpus, tmp_path, lengths_s=(1.0,))


def test_rank1_by_length_counts_what_the_window_allows(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rank1, "COLUMNS", tuple(c for c in rank1.COLUMNS if c.room == "none"))
    embeddings = EmbeddingCache(MODEL, tmp_path / "cache", reference_hop_s=0.5)
    counts = rank1.rank1_by_length(embeddings, corpus, tmp_path / "cache", n_queries=6)
    assert list(counts) == [f"5 dB, {length_s} s" for length_s in (2, 3, 5, 8)]
    assert counts["5 dB, 8 s"]["count"] >= 5
    assert all(cell["n"] == 6 for cell in counts.values())
    some = rank1.rank1_by_length(embeddings, corpus, tmp_path / "cache", n_queries=6, lengths_s=(1.0, 5.0))
    assert some == {"5 dB, 5 s": counts["5 dB, 5 s"]}


def test_open_set_runs_and_reports(corpus: Path, tmp_path: Path) -> None:
    conditions = [Condition(snr_db=10.0), Condition(snr_db=0.0)]
    result = evaluate_open_set(MODEL, corpus, tmp_path / "cache", conditions=conditions, n_queries=6, n_unknown=4)
    assert len(result["rows"]) == len(result["thresholds"]) == 2
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["rows"][0]["rank1"]["rate"] >= 5 / 6
    for row in result["rows"]:
        assert row["curve"][-1]["recall"] == pytest.approx(row["rank1"]["rate"])
        assert row["false_accepts"]["n"] == 4
    assert "| 10 dB, 8 s |" in grid_report.open_set_to_markdown(result)
    grid_report.plot_open_set(result, tmp_path / "open.png")
    assert (tmp_path / "open.png").read_bytes().startswith(b"\x89PNG")


def test_precision_and_recall_by_hand() -> None:
    correct = np.array([True, True, False, True])
    thresholds, precision, recall = precision_recall(correct, np.array([0.9, 0.5, 0.4, 0.1]), np.array([0.5, 0.0]))
    np.testing.assert_allclose(thresholds, [0.9, 0.5, 0.4, 0.1, 0.0])
    np.testing.assert_allclose(precision, [1, 2 / 3, 2 / 4, 3 / 5, 3 / 6])
    np.testing.assert_allclose(recall, [1 / 4, 2 / 4, 2 / 4, 3 / 4, 3 / 4])
