"""The literature's protocols as tables and plots; every figure is taken from the JSON."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nowplaying_core.plotting import pyplot, save_figure
from nowplaying_core.text import markdown_table

__all__ = ["grid_to_markdown", "open_set_to_markdown", "plot_grid", "plot_open_set"]

_LEVELS = {
    "segment": "segments, at the nearest reference",
    "segment_near": "segments, at it or beside it",
    "song": "songs",
    "timestamps": "correct songs at the correct time, within half a reference hop",
}


def grid_to_markdown(result: Mapping[str, Any]) -> str:
    """Return the tables of :func:`~evaluation.retrieval.grid.evaluate_grid` in Markdown."""
    lines = [
        f"# {result['model']} on the grid of {result['title']}",
        "",
        f"Development music, {result['n_songs']} references{_beside(result.get('beside', {}))} "
        f"({result['n_fingerprints']} fingerprints of "
        f"{result['window_s']:g} s, one every {result['hop_s']:g} s): not comparable with the paper's figures. "
        f"{result['note']} {result['n_queries']} queries a cell from {result['n_tracks']} tracks, seed "
        f"{result['seed']}; top-1 in %, Wilson's 95 % interval in brackets."
        + (f" The baseline is {result['baseline']}, asked the same." if result["baseline"] else "")
        + _overhang(result.get("overhangs_s", ({},))),
    ]
    for table in dict.fromkeys(row["table"] for row in result["rows"]):
        for level, title in _LEVELS.items():
            rows = [row for row in result["rows"] if row["table"] == table]
            columns = list(dict.fromkeys(_column(row) for row in rows))
            lines += ["", f"## {table.capitalize()}: {title}", ""]
            cells_of = []
            for length_s in sorted({row["length_s"] for row in rows}):
                for system in dict.fromkeys(row["system"] for row in rows if row["length_s"] == length_s):
                    if system == "landmarks" and level.startswith("segment"):
                        continue
                    cells = {
                        _column(row): row[level]
                        for row in rows
                        if (row["length_s"], row["system"]) == (length_s, system)
                    }
                    cells_of.append([f"{length_s:g} s", system, *(_rate(cells[column]) for column in columns)])
            lines.append(markdown_table(["length", "system", *columns], cells_of))
    return "\n".join(lines) + "\n"


def open_set_to_markdown(result: Mapping[str, Any]) -> str:
    """Return the table of :func:`~evaluation.retrieval.open_set.evaluate_open_set` in Markdown."""
    left_out = result["left_out_as_duplicates"]
    thresholds = " and ".join(f"{threshold:.3f}" for threshold in result["thresholds"])
    lines = [
        f"# {result['model']} on the open set",
        "",
        f"{result['n_queries']} queries of known and {result['n_unknown']} of unknown music a condition, searched "
        f"among {result['n_songs']} songs, seed {result['seed']}; through codes, Annoy and mu-law. Accepted above "
        f"{thresholds}, the thresholds of acceptance models that were fitted to the other half of the tracks; Wilson's "
        "95 % intervals, Clopper and Pearson's for false accepts. "
        f"Left out because a song holds them: {', '.join(left_out) if left_out else 'none'}.",
        "",
    ]
    table = []
    for row in result["rows"]:
        false = row["false_accepts"]
        low, high = false["clopper_pearson"]
        cells = [
            row["condition"],
            _rate(row["rank1"]),
            _rate(row["accepted"]),
            str(row["wrong_accepted"]),
            f"{false['count']} of {false['n']}",
            f"{100 * low:.2f} to {100 * high:.2f}",
            f"{100 * row['recall_at_precision_99']:.1f}",
        ]
        table.append(cells)
    headings = ["condition", "rank-1 %", "accepted and correct %", "known, accepted as another", "unknown, accepted"]
    return "\n".join([*lines, markdown_table([*headings, "interval %", "recall at 99 % precision"], table)]) + "\n"


def plot_grid(result: Mapping[str, Any], path: Path) -> None:
    """Plot songs found against the query's length, a panel for each table and a line for each system and column."""
    plt = pyplot()
    tables = list(dict.fromkeys(row["table"] for row in result["rows"]))
    figure, panels = plt.subplots(1, len(tables), figsize=(5 * len(tables), 4), sharey=True, squeeze=False)
    styles = {"landmarks": ":", "majority, pq": "--", "diagonal, pq": "--", "ours, pq": "-"}
    for panel, table in zip(panels[0], tables, strict=True):
        rows = [row for row in result["rows"] if row["table"] == table]
        columns = list(dict.fromkeys(_column(row) for row in rows))
        for number, column in enumerate(columns):
            for system, style in styles.items():
                points = [row for row in rows if _column(row) == column and row["system"] == system]
                if points:
                    label = column if system == "ours, pq" else None
                    values = [100 * row["song"]["rate"] for row in points]
                    panel.plot([row["length_s"] for row in points], values, style, color=f"C{number}", label=label)
        panel.set(title=table, xlabel="query, s")
        panel.legend(fontsize="small", loc="lower right")
    panels[0][0].set_ylabel("songs found, %")
    legend = "solid: ours, dashed: the paper's retrieval, dotted: landmarks"
    figure.suptitle(f"{result['model']}\n{legend}", fontsize="small")
    _save(figure, path)


def plot_open_set(result: Mapping[str, Any], path: Path) -> None:
    """Plot precision against recall, a line for each condition."""
    plt = pyplot()
    figure, panel = plt.subplots(figsize=(6, 5))
    for row in result["rows"]:
        panel.plot(
            [100 * point["recall"] for point in row["curve"]],
            [100 * point["precision"] for point in row["curve"]],
            label=row["condition"],
        )
    panel.set(xlabel="recall, %", ylabel="precision, %", title=f"{result['model']}: known and unknown music")
    panel.legend(fontsize="small", loc="lower left")
    _save(figure, path)


def _beside(counts: Mapping[str, int]) -> str:
    """Return how many references are none of the development music, by kind, or nothing."""
    return f", of which {' and '.join(f'{n:,} {kind}' for kind, n in counts.items())}" if counts else ""


def _overhang(overhangs_s: Sequence[Mapping[str, float]]) -> str:
    """Return the sentence about windows of our matcher's queries that reach beyond them, or nothing."""
    own, *baseline = overhangs_s
    short = [length_s for length_s, beyond_s in own.items() if beyond_s]
    if not short:
        return ""
    others = "the paper's do not" if baseline in ([], [own]) else "the paper's and the baseline's do not"
    return f" Windows of *ours* reach {max(own.values()):g} s beyond queries of {' and '.join(short)} s, {others}."


def _column(row: Mapping[str, Any]) -> str:
    return str(row["room"]) if row["snr_db"] is None else f"{row['snr_db']:g} dB"


def _rate(cell: Mapping[str, Any]) -> str:
    low, high = cell["wilson"]
    return f"{100 * cell['rate']:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    save_figure(figure, path, dpi=120)
    pyplot().close(figure)
