"""The audit's tables in Markdown, from its JSON alone."""

from collections.abc import Mapping
from typing import Any

from nowplaying_core.text import markdown_table, with_interval

__all__ = ["errors_table", "to_markdown", "words_table"]


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return the tables of errors, melody and words."""
    settings = result["settings"]
    seeds = " and seeds" if settings["classifier_seeds"] > 1 else ""
    parts = [
        f"# What fingerprints of {result['model']} give away\n",
        f"Attacks trained on {result['n_known_windows']:,} windows of the `train` split "
        f"({result['n_known_words']:,} of them single words) for {settings['n_steps']:,} steps of "
        f"{settings['images_per_step']}, and are tested on the `dev` split; sampled in {settings['sampling_steps']} "
        f"steps. Intervals are 95 %, by bootstrap over recordings (words: over utterances{seeds}). Made by "
        "`nowplaying audit privacy`.\n",
    ]
    for kind in dict.fromkeys(row["sound"] for row in result["windows"]):
        rows = [row for row in result["windows"] if row["sound"] == kind]
        counts = f"{rows[0]['n_windows']:,} windows of {rows[0]['n_recordings']:,} recordings"
        parts += [f"## {kind.capitalize()}: {counts}\n", errors_table(rows)]
    if result["words"]:
        parts += ["## Words\n", words_table(result["words"])]
    return "\n".join(parts)


def errors_table(rows: list[Mapping[str, Any]]) -> str:
    """Return the table of one kind of sound; a cell without a figure, in a result that was published, is empty."""
    headings = ["made from", "mean square error"]
    cells = [[row["made_from"], with_interval(row["error"], 2)] for row in rows]
    if "melody" in rows[0]:
        headings += ["melody's correlation", "of another recording", "strongest pitch right", "of another recording"]
        for row, cell in zip(rows, cells, strict=True):
            cell += [with_interval(row[name], 2) if name in row else "" for name in ("melody", "melody_by_chance")]
            pitches = ("strongest_pitch", "strongest_pitch_by_chance")
            cell += [_percent(row[name]) if name in row else "" for name in pitches]
    return markdown_table(headings, cells) + "\n"


def words_table(words: list[Mapping[str, Any]]) -> str:
    """Return the table of the words that networks and linear classifiers recognize."""
    headings = [
        "recognized in",
        *(f"{task['task']}, {task['n_labels']} labels ({task['n_asked']} tested)" for task in words),
    ]
    rows = [[name, *(_percent(task["rebuilt"][name]) for task in words)] for name in words[0]["rebuilt"]]
    rows += [
        [f"{name}, read directly", *(_percent(task["vectors"][name]) for task in words)] for name in words[0]["vectors"]
    ]
    rows.append(["the most common label", *(f"{100 * task['chance']:.1f} %" for task in words)])
    return markdown_table(headings, rows) + "\n"


def _percent(found: Mapping[str, float]) -> str:
    return with_interval(found, scale=100, unit=" %")
