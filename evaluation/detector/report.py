"""Show the detector's figures as Markdown, and as plots."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nowplaying_core.plotting import pyplot

__all__ = ["plot", "stream_tables", "to_markdown"]


def to_markdown(metrics: Mapping[str, Any]) -> str:
    """Return the metrics of :func:`evaluation.detector.evaluate.evaluate_detector` as Markdown tables."""
    clips = metrics["clips"]
    parts = [
        "# Detector evaluation",
        f"Split `{metrics['split']}`, seed {metrics['seed']}: {clips['n_music']} clips of 4.48 s with music at 0 to "
        f"20 dB and {clips['n_other']} with noise, speech or both, from {clips['n_recordings']} recordings; intervals "
        "are 95 %, by bootstrap over recordings.",
        clip_tables(clips),
    ]
    parts += [*stream_tables(metrics["streams"], metrics["room_tone"]), _best_gates(metrics["best_gates"])]
    return "\n\n".join(parts) + "\n"


def clip_tables(clips: Mapping[str, Any]) -> str:
    """Return the tables of ROC areas over clips."""
    parts = [
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
    return "\n\n".join(parts)


def stream_tables(streams: Mapping[str, Any], room_tone: Mapping[str, Any] | None = None) -> list[str]:
    """Return the tables of what a gate did on streams and, if given, in quiet rooms."""
    gates = "; ".join(
        f"window {gate['window']}, threshold {gate['enter_threshold']:.3f}, {gate['consecutive_hits']} hits"
        for gate in streams["gates"]
    )
    unique = streams["unique_hours_without_music"]
    rows: list[tuple[str, tuple[str, ...]]] = [
        ("regions found", _share(streams["recall"])),
        (f"regions found at {streams['audible_db']:g} dB or more", _share(streams["recall_audible"])),
        (
            "false triggers per hour without music",
            (str(streams["n_false_triggers"]), _interval(streams["false_triggers_per_hour"], 2)),
        ),
        ("delay from the music's start, median", ("", _seconds(streams["median_delay_s"]), "")),
        ("the same, nine in ten", ("", _seconds(streams["delay_90_percent_s"]), "")),
    ]
    if room_tone is not None:
        rows.append(
            (
                f"triggers per hour of recorded noise at -70 to -50 dBFS ({room_tone['hours']:.1f} h)",
                (str(room_tone["n_triggers"]), _interval(room_tone["per_hour"], 2)),
            )
        )
    tables = [
        f"Streams: {streams['n_streams']}, {streams['hours']:.1f} h in all, {streams['hours_without_music']:.2f} h of "
        f"them sound without music, mixed from {unique:.2f} h of recordings; {streams['n_regions']} music regions of "
        f"16 to 40 s at -5 to 25 dB. Gate: {gates}.",
        "| figure | n | value | 95 % |\n|---|---:|---:|---|\n"
        + "\n".join(f"| {name} | {' | '.join(values)} |" for name, values in rows),
    ]
    by = (
        ("music against its background", "recall_by_snr"),
        ("level of the stream (audible regions)", "recall_by_level"),
        ("music (audible regions)", "recall_by_character"),
        ("background (audible regions)", "recall_by_background"),
    )
    for title, key in by:
        lines = [f"| {title} | regions | found | 95 % |", "|---|---:|---:|---|"]
        lines += [f"| {name} | {' | '.join(_share(recall))} |" for name, recall in streams[key].items()]
        tables.append("\n".join(lines))
    lines = ["| sound without music | false triggers | hours | per hour | 95 % |", "|---|---:|---:|---:|---|"]
    for label, row in streams["false_triggers_by_label"].items():
        lines.append(f"| {label} | {row['n']} | {row['hours']:.2f} | {_interval(row['per_hour'], 2)} |")
    tables.append("\n".join(lines))
    kernels = streams["default_kernels"]
    tables.append(
        f"Default kernels against the reference kernels, which equal a microcontroller's: {kernels['n_entries']} "
        f"entries into music by the latter, {kernels['n_entries_at_one_only']} by one of the two only; "
        f"{_percent(kernels['share_of_outputs_that_differ'])} of the outputs differ, by {kernels['most_steps']} of 256 "
        "at most."
    )
    tables.append(_areas("single windows, warm, in streams", streams["window_area"]))
    return tables


def plot(metrics: Mapping[str, Any], path: Path) -> None:
    """Draw recall against false triggers, and the DET curves of single windows by what is there instead of music.

    Parameters
    ----------
    metrics : mapping
        With ``streams`` and ``best_gates``.
    path : Path
        A ``.png`` or ``.svg`` file.
    """
    from scipy.stats import norm

    plt = pyplot()
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    best = metrics["best_gates"]
    left.step(
        [row["false_triggers_per_hour"] for row in best],
        [100 * row["recall_audible"] for row in best],
        where="post",
        label="best gates",
    )
    chosen = metrics["streams"]
    if chosen["recall_audible"]["value"] is not None:
        place = chosen["false_triggers_per_hour"]["value"], 100 * chosen["recall_audible"]["value"]
        left.plot(*place, "o", label="chosen gate")
    left.set(
        xlabel="false triggers per hour without music",
        ylabel=f"music regions found at {chosen['audible_db']:g} dB or more (%)",
        xlim=(0, 20),
        ylim=(50, 101),
    )
    left.legend()
    ticks = (0.001, 0.01, 0.05, 0.2, 0.5)
    for name, curve in chosen["det"].items():
        points = [
            (norm.ppf(alarm), norm.ppf(miss))
            for alarm, miss in zip(curve["false_alarm"], curve["miss"], strict=True)
            if 0 < alarm < 1 and 0 < miss < 1
        ]
        if points:
            right.plot(*zip(*points, strict=True), label=name)
    for axis in (right.xaxis, right.yaxis):
        axis.set_ticks([norm.ppf(tick) for tick in ticks], [f"{100 * tick:g} %" for tick in ticks])
    right.set(xlabel="windows without music taken for music", ylabel="windows of music missed (0 to 20 dB)")
    if right.get_legend_handles_labels()[0]:
        right.legend()
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _share(recall: Mapping[str, Any]) -> tuple[str, str, str]:
    return (
        str(recall["n"]),
        _percent(recall["value"]),
        f"{_percent(recall['low'])} to {_percent(recall['high'])}",
    )


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _percent(part: float | None) -> str:
    return "-" if part is None else f"{100 * part:.1f} %"


def _interval(area: Mapping[str, float | None], digits: int = 4) -> str:
    """Return an estimate and its interval as two cells."""
    value, low, high = ("-" if area[name] is None else f"{area[name]:.{digits}f}" for name in ("value", "low", "high"))
    return f"{value} | {low} to {high}"


def _areas(title: str, areas: Mapping[str, Mapping[str, float | None]]) -> str:
    rows = [f"| {title} | ROC area | 95 % |", "|---|---:|---|"]
    rows += [f"| {name} | {_interval(area)} |" for name, area in areas.items()]
    return "\n".join(rows)


def _best_gates(rows: Sequence[Mapping[str, Any]]) -> str:
    """Tabulate the first twelve gates of a frontier."""
    lines = ["| false triggers per hour | regions found | window | threshold | hits |", "|---:|---:|---:|---:|---:|"]
    lines += [
        f"| {row['false_triggers_per_hour']:.2f} | {100 * row['recall_audible']:.1f} % | {row['window']} | "
        f"{row['enter_threshold']:g} | {row['consecutive_hits']} |"
        for row in rows[:12]
    ]
    return "\n".join(lines)
