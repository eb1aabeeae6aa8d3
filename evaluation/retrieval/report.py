"""The figures of an evaluation as Markdown tables, with the goals beside them; every figure is taken from its JSON."""

from collections.abc import Mapping
from typing import Any

from evaluation.goals import goal_cell, load_goals
from evaluation.retrieval.reliability import reliability_table
from nowplaying_core.text import markdown_table

__all__ = ["OUT_OF_SAMPLE", "false_accept_table", "known_table", "percent", "to_markdown"]

OUT_OF_SAMPLE = (
    "Accepted answers are counted out of sample: an acceptance model is fitted to each half of the dev tracks (with a "
    "track's duplicates in its half) and judges the queries of the other half; unknown music, speech and noise are "
    "divided in the same way. The acceptance model that ships is fitted to all dev tracks."
)


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return the tables of :func:`~evaluation.retrieval.retrieval.evaluate_retrieval` in Markdown."""
    duplicates, silent = (", ".join(result[f"left_out_as_{reason}"]) for reason in ("duplicates", "silent"))
    halves = " and ".join(
        f"{half['threshold']:.3f} (8 s) and {half['threshold_single']:.3f} (one fingerprint)"
        for half in result["half_acceptances"]
    )
    parts = [
        f"# Retrieval of {result['model']}",
        f"{result['n_queries']} queries a condition from {result['n_tracks']} tracks, searched among "
        f"{result['n_songs']} songs ({result['n_fingerprints']} fingerprints, one every "
        f"{result['reference_hop_s']:g} s); embedding space "
        f"{result['embedding_space']}, seed {result['seed']}. Through codes, Annoy and mu-law unless said otherwise; "
        "intervals are 95 %, by bootstrap over tracks. "
        f"{result['n_songs_with_duplicates']} songs have a duplicate, which counts as correct. Left out because a song "
        f"holds them: {duplicates or 'none'}. Dev recordings without a query, being mostly silent: {silent or 'none'}. "
        "A repeat is a position where the song's clean fingerprints are the same as at the true one (cosine 0.8). "
        "Seen and unseen are rank-1 of recordings from sources that training had other music of, and of the others.",
        OUT_OF_SAMPLE,
        known_table(result, detailed=True),
        "## False accepts",
        f"At the thresholds of the two halves' models: {halves}.",
        false_accept_table(result),
    ]
    if measured := result.get("reliability"):
        headings = ["queries", "known", "unknown", "Brier score", "expected calibration error"]
        figures = [
            [row["condition"], f"{row['n_known']}", f"{row['n_unknown']}"]
            + [f"{row[name]:.4f}" for name in ("brier", "expected_calibration_error")]
            for row in measured
        ]
        parts += [
            "## Whether a score is a probability",
            "Known and unknown music weigh a half each; of scores of 0.9 nine in ten should be right. Out of sample.",
            markdown_table(headings, figures),
            f"By score, {measured[-1]['condition']}:",
            reliability_table(measured[-1]),
        ]
    for title, rows in result["paired"].items():
        headings = ["condition", "first %", "second %", "difference", "interval", "one-sided 95 % lower bound"]
        parts += [f"## Paired: {title}", markdown_table(headings, map(_paired_row, rows))]
    return "\n\n".join(parts) + "\n"


def known_table(result: Mapping[str, Any], *, detailed: bool = False) -> str:
    """Return the table of known music: rank-1 and accepted, each with its goal."""
    goals = load_goals()["retrieval"]
    headings = ["query", "rank-1 %", "interval", "goal", "accepted and correct %", "goal", "accepted and wrong %"]
    if detailed:
        headings += ["seen %", "unseen %", "position within 0.5 s %", "or at a repeat %"]
    rows = []
    for row in result["known"]:
        goal = goals.get(row["condition"], {})
        cells = [row["condition"]]
        for name in ("rank1", "accepted"):
            cells.append(percent(row[name]["rate"]))
            if name == "rank1":
                cells.append(" to ".join(map(percent, row[name]["bootstrap"])))
            cells.append(goal_cell(100 * row[name]["rate"], at_least=goal.get(name)))
        cells.append(percent(row["wrong_accepted"]["rate"], 2))
        if detailed:
            by_source = row["rank1_by_source"]
            cells += [percent(by_source[name]["rate"]) if name in by_source else "" for name in ("seen", "unseen")]
            positions = (row["position_within_500_ms"], row["position_or_its_repeat"])
            cells += ["" if share is None else percent(share) for share in positions]
        rows.append(cells)
    return markdown_table(headings, rows)


def false_accept_table(result: Mapping[str, Any]) -> str:
    """Return the table of queries that must not be accepted, with the goals."""
    goals = load_goals()["false_accepts"]
    rows = [
        [
            f"{row['queries']}, {row['condition']}",
            f"{row['count']} of {row['n']}",
            percent(row["rate"], 2),
            percent(row["upper_95"], 2),
            goal_cell(100 * row["rate"], at_most=goals.get(row["queries"])),
        ]
        for row in result["false_accepts"]
    ]
    return markdown_table(["query that must not be accepted", "accepted", "%", "95 % upper bound", "goal"], rows)


def _paired_row(row: Mapping[str, Any]) -> list[str]:
    interval = f"{percent(row['low'], 2)} to {percent(row['high'], 2)}"
    shares = [percent(row["first"]), percent(row["second"]), percent(row["difference"], 2)]
    return [row["condition"], *shares, interval, percent(row["one_sided_low"], 2)]


def percent(share: float, digits: int = 1) -> str:
    """Return a share as a number of per cent."""
    return f"{100 * share:.{digits}f}"
