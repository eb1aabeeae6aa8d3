"""An evaluation as tables for people; every figure is taken from its JSON."""

from collections.abc import Mapping
from typing import Any

__all__ = ["table_row", "to_markdown"]


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return the tables of :func:`~evaluation.retrieval.retrieval.evaluate_retrieval` in Markdown."""
    lines = [
        f"# Retrieval of {result['model']}",
        "",
        f"{result['n_queries']} queries a condition from {result['n_tracks']} tracks, searched among "
        f"{result['n_songs']} songs ({result['n_fingerprints']} fingerprints, one every "
        f"{result['reference_hop_s']:g} s); embedding space "
        f"{result['embedding_space']}, seed {result['seed']}. Through codes, Annoy and mu-law unless said otherwise; "
        "intervals are 95 %, by bootstrap over tracks. "
        f"{result['n_songs_with_twins']} songs have a duplicate, which counts as right; "
        f"{len(result['left_out_as_twins'])} recordings of unknown music or noise were left out: a song holds them"
        f"{': ' if result['left_out_as_twins'] else ''}{', '.join(result['left_out_as_twins'])}. "
        f"{len(result['left_out_as_silent'])} dev recordings have no query, being silent for the most part"
        f"{': ' if result['left_out_as_silent'] else ''}{', '.join(result['left_out_as_silent'])}. "
        "Or at a repeat: where the song's clean fingerprints are the same as at the true place (cosine 0.8). "
        "Seen and unseen are rank-1 of recordings from sources that training had other music of, and of the others.",
        "",
        "| condition | rank-1 % | interval | seen | unseen | accepted and right % | accepted and wrong % | "
        "place within 0.5 s % | or at a repeat % | median match ms |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in result["known"]:
        low, high = row["rank1"]["bootstrap"]
        place = row["place_within_500_ms"]
        cells = [
            row["condition"],
            _percent(row["rank1"]["rate"]),
            f"{_percent(low)} to {_percent(high)}",
            *(
                _percent(part["rate"]) if (part := row["rank1_by_source"].get(name)) else ""
                for name in ("seen", "unseen")
            ),
            _percent(row["accepted"]["rate"]),
            _percent(row["wrong_accepted"]["rate"], 2),
            *("" if value is None else _percent(value) for value in (place, row["place_or_its_repeat"])),
            f"{row['match_ms_p50']:.1f}",
        ]
        lines.append(table_row(cells))
    long, single = (result["acceptance"][name] for name in ("threshold", "threshold_single"))
    lines += [
        "",
        f"## False accepts at the thresholds {long:.3f} (8 s) and {single:.3f} (one fingerprint)",
        "",
        "| queries | condition | accepted | of | % | 95 % upper bound |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["false_accepts"]:
        counts = [str(row["count"]), str(row["n"])]
        rates = [_percent(row["rate"], 2), _percent(row["upper_95"], 2)]
        lines.append(table_row([row["queries"], row["condition"], *counts, *rates]))
    for title, rows in result["paired"].items():
        lines += [
            "",
            f"## Paired: {title}",
            "",
            "| condition | first % | second % | difference | interval | one-sided 95 % lower bound |",
            "|---|---|---|---|---|---|",
        ]
        for row in rows:
            interval = f"{_percent(row['low'], 2)} to {_percent(row['high'], 2)}"
            shares = [_percent(row["first"]), _percent(row["second"]), _percent(row["difference"], 2)]
            lines.append(table_row([row["condition"], *shares, interval, _percent(row["one_sided_low"], 2)]))
    return "\n".join(lines) + "\n"


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}"


def table_row(cells: list[str]) -> str:
    """Return one row of a Markdown table."""
    return "| " + " | ".join(cells) + " |"
