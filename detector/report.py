"""Show the detector's figures as Markdown."""

from collections.abc import Mapping
from typing import Any

__all__ = ["to_markdown"]


def to_markdown(metrics: Mapping[str, Any]) -> str:
    """Return the figures of ``detector.evaluate.evaluate_detector`` as Markdown tables.

    Parameters
    ----------
    metrics : mapping
    """
    clips, streams = metrics["clips"], metrics["streams"]
    gate = streams["gate"]
    recall, rate = streams["recall"], streams["false_triggers_per_hour"]
    parts = [
        "# Detector evaluation",
        f"Split `{metrics['split']}`, seed {metrics['seed']}: {clips['n_music']} clips of 4.48 s with music at 0 to "
        f"20 dB and {clips['n_other']} with noise, speech or both, from {clips['n_recordings']} recordings; intervals "
        "are 95 %, by bootstrap over recordings.",
        _areas("condition", clips["area"]),
        _areas("music against its background (full band)", clips["area_by_snr"]),
        _areas("instead of music (full band)", clips["area_by_other"]),
    ]
    if clips.get("hardest_other"):
        parts.append(
            "Hardest sounds without music, by mean probability: "
            + ", ".join(f"{row['label']} {row['mean_probability']:.2f}" for row in clips["hardest_other"])
            + "."
        )
    parts.append(
        f"Streams: {streams['n_streams']} of {60 * streams['hours'] / max(1, streams['n_streams']):.0f} min, "
        f"{streams['hours_without_music']:.2f} h of them sound without music, {streams['n_regions']} music regions of "
        "16 to 40 s at 0 to 20 dB. At the shipped gate "
        f"(window {gate['window']}, threshold {gate['enter_threshold']}, {gate['consecutive_hits']} hits):"
    )
    delay = "-" if streams["median_delay_s"] is None else f"{streams['median_delay_s']:.1f} s"
    parts.append(
        "| figure | value | 95 % |\n|---|---:|---|\n"
        f"| regions found | {_percent(recall['value'])} | {_percent(recall['low'])} to {_percent(recall['high'])} |\n"
        f"| false triggers per hour without music | {rate['value']:.2f} | {rate['low']:.2f} to {rate['high']:.2f} |\n"
        f"| median delay from the music's start | {delay} | |"
    )
    parts.append(_frontier(metrics.get("gate_sweep", [])))
    return "\n\n".join(part for part in parts if part) + "\n"


def _percent(part: float) -> str:
    return f"{100 * part:.1f} %"


def _areas(title: str, areas: Mapping[str, Mapping[str, float]]) -> str:
    rows = [f"| {title} | ROC area | 95 % |", "|---|---:|---|"]
    rows += [
        f"| {name} | {area['value']:.4f} | {area['low']:.4f} to {area['high']:.4f} |" for name, area in areas.items()
    ]
    return "\n".join(rows)


def _frontier(sweep: list[Mapping[str, Any]]) -> str:
    """Tabulate the gates of a sweep that no other beats in both recall and false triggers."""
    best: list[Mapping[str, Any]] = []
    for row in sorted(sweep, key=lambda row: (row["false_triggers_per_hour"], -row["recall"])):
        if not best or row["recall"] > best[-1]["recall"]:
            best.append(row)
    if not best:
        return ""
    rows = ["| false triggers per hour | regions found | window | threshold | hits |", "|---:|---:|---:|---:|---:|"]
    rows += [
        f"| {row['false_triggers_per_hour']:.2f} | {100 * row['recall']:.1f} % | {row['window']} | "
        f"{row['enter_threshold']} | {row['consecutive_hits']} |"
        for row in best[:12]
    ]
    return "\n".join(rows)
