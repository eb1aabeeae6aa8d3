"""Show the detector's metrics as Markdown and as plots."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.goals import audible_regions
from nowplaying_core.plotting import pyplot, save_figure
from nowplaying_core.text import markdown_table

__all__ = ["cross_validation_to_markdown", "plot", "to_markdown"]


def to_markdown(metrics: Mapping[str, Any]) -> str:
    """Return the metrics of :func:`evaluation.detector.evaluate.evaluate_detector` as Markdown tables."""
    clips = metrics["clips"]
    parts = [
        "# Detector evaluation",
        f"Split `{metrics['split']}`, seed {metrics['seed']}: {clips['n_music']} clips of 4.48 s with music at 0 to "
        f"20 dB and {clips['n_other']} with noise, speech or both, from {clips['n_recordings']} recordings; intervals "
        "are 95 %, by bootstrap over recordings.",
        *_clip_tables(clips),
        *_stream_tables(metrics["streams"], metrics["room_tone"]),
        _gates(metrics["best_gates"][:12]),
    ]
    return "\n\n".join(parts) + "\n"


def cross_validation_to_markdown(result: Mapping[str, Any]) -> str:
    """Return the metrics of :func:`evaluation.detector.cross_validate.cross_validate` as Markdown tables."""
    areas = ", ".join(f"{fold['area']['full band']['value']:.4f}" for fold in result["fold_clips"])
    points = result["operating_points"]
    means = ", ".join(f"{name} {area['value']:.4f}" for name, area in result["mean_area"].items())
    parts = [
        f"# Cross-validation of the detector, {result['n_folds']} folds by source",
        "Each stream goes to a detector that was trained without its music, noise and speech, and through a gate that "
        "was chosen on the other folds' streams.",
        *_stream_tables(result["streams"], result["room_tone"]),
        "Best gates over all folds, for at most so many false wake-ups an hour:",
        _gates(points, limits=[f"{row['max_false_per_hour']:g}" for row in points]),
        f"Clips of 4.48 s at 0 to 20 dB, ROC area of each fold (full band): {areas}. The first fold's:",
        *_clip_tables(result["fold_clips"][0]),
        f"Means over folds: {means} (intervals from the folds' spread in the JSON).",
    ]
    return "\n\n".join(parts) + "\n"


def _clip_tables(clips: Mapping[str, Any]) -> list[str]:
    """Return the tables of ROC areas over clips."""
    hardest = ", ".join(f"{row['label']} {row['mean_probability']:.2f}" for row in clips["hardest_other"])
    return [
        _areas("condition", clips["area"]),
        _areas("music against its background (full band)", clips["area_by_snr"]),
        _areas("instead of music (full band)", clips["area_by_other"]),
        *([f"Hardest sounds without music, by mean probability: {hardest}."] if hardest else []),
    ]


def _stream_tables(streams: Mapping[str, Any], room_tone: Mapping[str, Any]) -> list[str]:
    """Return the tables of a gate's results on streams and in quiet rooms."""
    gates = "; ".join(
        f"window {gate['window']}, threshold {gate['enter_threshold']:.3f}, {gate['consecutive_hits']} hits"
        + (f", or {_early(gate)}" if gate.get("early_window") else "")
        for gate in streams["gates"]
    )
    lowest, loudest = room_tone["level_dbfs"]
    rows: list[tuple[str, ...]] = [
        ("regions found", *_share(streams["recall"])),
        (audible_regions(streams), *_share(streams["recall_audible"])),
        (
            "false wake-ups per hour without music",
            str(streams["n_false_triggers"]),
            *_interval(streams["false_triggers_per_hour"], 2),
        ),
        ("delay from the music's start, median", "", _seconds(streams["median_delay_s"]), ""),
        ("the same, nine in ten", "", _seconds(streams["delay_90_percent_s"]), ""),
        (
            f"triggers per hour of recorded noise at {lowest} to {loudest} dBFS ({room_tone['hours']:.1f} h)",
            str(room_tone["n_triggers"]),
            *_interval(room_tone["per_hour"], 2),
        ),
    ]
    groups = (
        ("music against its background", "recall_by_snr"),
        ("level of the stream (audible regions)", "recall_by_level"),
        ("music (audible regions)", "recall_by_onset_class"),
        ("background (audible regions)", "recall_by_background"),
        ("source of the music (audible regions)", "recall_by_source"),
    )
    false = [
        markdown_table(
            [title, "false wake-ups", "hours", "per hour", "95 %"],
            [
                (name, str(row["n"]), f"{row['hours']:.2f}", *_interval(row["per_hour"], 2))
                for name, row in streams[key].items()
            ],
            numbers=(1, 2, 3),
        )
        for title, key in (
            ("sound without music", "false_triggers_by_label"),
            ("source of the sound without music", "false_triggers_by_source"),
        )
        if key in streams
    ]
    kernels = streams["default_kernels"]
    return [
        f"Streams: {streams['n_streams']}, {streams['hours']:.1f} h in all, {streams['hours_without_music']:.2f} h of "
        f"them sound without music, mixed from {streams['unique_hours_without_music']:.2f} h of recordings; "
        f"{streams['n_regions']} music regions of 16 to 40 s at -5 to 25 dB. Gate: {gates}.",
        markdown_table(["figure", "n", "value", "95 %"], rows, numbers=(1, 2)),
        *(
            markdown_table(
                [title, "regions", "found", "95 %"],
                [(name, *_share(recall)) for name, recall in streams[key].items()],
                numbers=(1, 2),
            )
            for title, key in groups
            if key in streams
        ),
        *false,
        f"Default kernels against the reference kernels, which equal a microcontroller's: {kernels['n_entries']} "
        f"entries into music by the latter, {kernels['n_entries_at_one_only']} by one of the two only; "
        f"{_percent(kernels['share_of_outputs_that_differ'])} of the outputs differ, by {kernels['most_steps']} of 256 "
        "at most.",
        _areas("single windows, warm, in streams", streams["window_area"]),
    ]


def plot(metrics: Mapping[str, Any], path: Path) -> None:
    """Draw recall against false wake-ups, and the DET curves of single windows by kind of sound without music.

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
        xlabel="false wake-ups per hour without music",
        ylabel=f"music {audible_regions(chosen)} (%)",
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
    save_figure(figure, path, dpi=110)
    plt.close(figure)


def _share(recall: Mapping[str, Any]) -> tuple[str, str, str]:
    bounds = f"{_percent(recall['low'])} to {_percent(recall['high'])}"
    return str(recall["n"]), _percent(recall["value"]), bounds


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _percent(part: float | None) -> str:
    return "-" if part is None else f"{100 * part:.1f} %"


def _interval(area: Mapping[str, float | None], digits: int = 4) -> tuple[str, str]:
    """Return an estimate and its interval as two cells."""
    value, low, high = ("-" if area[name] is None else f"{area[name]:.{digits}f}" for name in ("value", "low", "high"))
    return value, f"{low} to {high}"


def _areas(title: str, areas: Mapping[str, Mapping[str, float | None]]) -> str:
    rows = [(name, *_interval(area)) for name, area in areas.items()]
    return markdown_table([title, "ROC area", "95 %"], rows, numbers=(1,))


def _early(gate: Mapping[str, Any]) -> str:
    """Return the early window of a gate and its threshold."""
    return f"{gate['early_window']} at {gate['early_threshold']:.3f}" if gate.get("early_window") else "-"


def _gates(rows: Sequence[Mapping[str, Any]], limits: Sequence[str] = ()) -> str:
    """Tabulate gates of a sweep, each perhaps with the limit that it was chosen for."""
    cells: list[tuple[str, ...]] = [
        (
            f"{row['false_triggers_per_hour']:.2f}",
            f"{100 * row['recall_audible']:.1f} %",
            str(row["window"]),
            f"{row['enter_threshold']:g}",
            str(row["consecutive_hits"]),
            _early(row),
        )
        for row in rows
    ]
    headings = ["false wake-ups per hour", "regions found", "window", "threshold", "hits", "or early"]
    if limits:
        headings, cells = ["at most", *headings], [(limit, *row) for limit, row in zip(limits, cells, strict=True)]
    return markdown_table(headings, cells, numbers=range(len(headings)))
