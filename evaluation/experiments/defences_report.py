"""Figures and tables of :mod:`evaluation.experiments.defences`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.committed import committed
from evaluation.experiments.thief import RIDGE
from nowplaying_core.statistics import (
    bootstrap_means,
    cluster_bootstrap,
    draw_run_errors,
    middle_95,
    paired_difference,
    wilson,
)
from nowplaying_core.text import counted, markdown_table, with_interval

__all__ = [
    "PUBLISHED",
    "RESULTS",
    "Part",
    "attacks_table",
    "committed_attacks",
    "committed_defences",
    "defences_table",
    "melodies_of",
    "rows_of",
    "to_markdown",
]

RESULTS: Final = Path(__file__).with_name("defences.json")
Arrays = Mapping[str, NDArray[Any]]
PUBLISHED: Final = "evaluation/experiments/defences.json"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is measured and kept.

    Attributes
    ----------
    kind : {"rebuilt", "found", "rank-1"}
    form, defence : str
        Of :class:`~evaluation.experiments.stored_forms.StoredForm`.
    attack : str
    n_context : int
        Fingerprints that are read together.
    seed : int
    n_owned : int or None
        Songs of the database that the thief of a rotated one owns.
    """

    kind: Literal["rebuilt", "found", "rank-1"]
    form: str
    defence: str
    attack: str = "network"
    n_context: int = 0
    seed: int = 1
    n_owned: int | None = None

    @property
    def name(self) -> str:
        """Of its file, and for people."""
        words = [self.kind, self.form]
        if self.kind == "rebuilt":
            words += [f"{self.n_context} together", self.attack, f"seed {self.seed}"]
        return ", ".join([*words, *([] if self.n_owned is None else [f"{self.n_owned} owned"])])

    def file(self, folder: Path) -> Path:
        """Return where its arrays are kept."""
        return folder / f"{self.name.replace(', ', '_').replace(' ', '-')}.npz"

    def load(self, folder: Path) -> dict[str, NDArray[Any]]:
        """Return its arrays."""
        with np.load(self.file(folder), allow_pickle=False) as kept:
            return dict(kept)


def rows_of(
    measured: Sequence[tuple[Part, Arrays]], songs: Sequence[str], tracks: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the tables.

    Parameters
    ----------
    measured : sequence of (Part, arrays)
    songs : sequence of str
        Song of each window.
    tracks : sequence of str
        Song of each query.
    """
    seeds: dict[tuple[Any, ...], list[Arrays]] = {}
    for part, arrays in measured:
        if part.kind == "rebuilt":
            seeds.setdefault((part.form, part.defence, part.attack, part.n_context, part.n_owned), []).append(arrays)
    rebuilt = []
    for (form, defence, attack, n_context, n_owned), runs in seeds.items():
        row: dict[str, Any] = {"form": form, "defence": defence, "attack": attack, "n_context": n_context}
        row |= {"n_owned": n_owned, **{name: _figure(runs, name, songs) for name in ("melody", "strongest")}}
        row["of_another"] = _figure(runs, "of_another", songs)
        linear = seeds.get((form, defence, RIDGE, n_context, None))
        if linear is not None and attack != RIDGE and n_owned is None:
            above = [{"melody": run["melody"] - linear[0]["melody"]} for run in runs]
            row["above_ridge"] = _figure(above, "melody", songs)
        rebuilt.append(row)
    right = {part.form: (part, arrays) for part, arrays in measured if part.kind == "rank-1"}
    _, floats = right["floats"]
    retrieval = []
    for form, (part, arrays) in right.items():
        cells = {}
        for condition, values in arrays.items():
            rate = cluster_bootstrap(values.astype(np.float64), tracks, np.random.default_rng(0))
            minus = paired_difference(values, floats[condition], tracks, np.random.default_rng(0))
            less = {key: round(minus[key], 4) for key in ("difference", "low", "high")}
            cells[condition] = {**rate.to_dict(), "n": len(values), "minus_floats": less}
        retrieval.append({"form": form, "defence": part.defence, "rank1": cells})
    found = []
    for part, arrays in measured:
        if part.kind == "found":
            n, count = len(arrays["found"]), int(arrays["found"].sum())
            row = {"form": part.form, "n": n, "count": count, "n_copies": int(arrays["n_copies"])}
            found.append({**row, **wilson(count, n).to_dict()})
    return {"rebuilt": rebuilt, "retrieval": retrieval, "found": found}


def _figure(runs: Sequence[Arrays], name: str, songs: Sequence[str]) -> dict[str, float]:
    """Return a mean and its interval, with other seeds and other songs; windows that were never asked left out."""
    values = np.stack([run[name] for run in runs])
    asked = ~np.isnan(values).any(axis=0)
    units = [song for song, was in zip(songs, asked, strict=True) if was]
    of_songs = bootstrap_means(values[:, asked].mean(axis=0), units, np.random.default_rng(0))
    of_seeds = draw_run_errors(values[:, asked].mean(axis=1), np.random.default_rng(1))
    low, high = middle_95(of_songs + of_seeds)
    return {"value": round(float(values[:, asked].mean()), 4), "low": round(low, 4), "high": round(high, 4)}


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return both tables."""
    return f"{attacks_table(result)}\n\n{defences_table(result)}\n"


def attacks_table(result: Mapping[str, Any]) -> str:
    """Return the table of attacks on what is stored without a defence, and on the shipped codes."""
    learned = {row["form"] for row in result["rebuilt"] if row["attack"] == "network"}
    rows = []
    for row in result["rebuilt"]:
        if row["form"] not in learned or row["n_owned"] is not None:
            continue
        above = row.get("above_ridge")
        rows.append(
            [
                row["form"],
                f"{row['n_context']}",
                row["attack"],
                with_interval(row["melody"], 3),
                "" if above is None else "{value:+.3f} ({low:+.3f} to {high:+.3f})".format(**above),
                _percent(row["strongest"]),
            ]
        )
    headings = ["stored", "read together", "attack", "melody's correlation", "above ridge", "strongest pitch right"]
    chance = max(abs(row["of_another"]["value"]) for row in result["rebuilt"])
    note = (
        f"{result['n_windows']:,} windows of {result['n_songs']} `dev` songs; attacks know {result['n_own_windows']:,} "
        f"windows of {result['n_own_songs']} other songs; networks of {result['n_seeds']} seed"
        f"{'s' if result['n_seeds'] > 1 else ''} a row. With another recording's melody no row correlates by more "
        f"than {chance:.2f}. Made by `python -m evaluation.experiments.defences`."
    )
    return f"{markdown_table(headings, rows, numbers=[1])}\n\n{note}"


def defences_table(result: Mapping[str, Any]) -> str:
    """Return the table of what each form costs and hides."""
    retrieval = {row["form"]: row["rank1"] for row in result["retrieval"]}
    conditions = list(next(iter(retrieval.values())))
    rows = []
    for form in retrieval:
        for row in melodies_of(result, form):
            cells = [_named(form, row)]
            for condition in conditions:
                one = retrieval[form][condition]
                less = with_interval(one["minus_floats"], of="difference", scale=100, sign="+")
                cells += [with_interval(one, scale=100), "" if form == "floats" else less]
            rows.append([*cells, with_interval(row["melody"], 3)])
    headings = ["stored, and who reads it"]
    for condition in conditions:
        headings += [f"rank-1, {condition}, %", "less floats, points"]
    notes = [
        "Of {n} rotated songs, {count} are named by how alike their own places are, among {n_copies} copies: "
        "{share:.1f} % ({from_:.1f} to {to:.1f}).".format(
            **one, share=100 * one["value"], from_=100 * one["low"], to=100 * one["high"]
        )
        for one in result["found"]
    ]
    return "\n\n".join([markdown_table([*headings, "melody's correlation"], rows), *notes])


def committed_attacks() -> str:
    """Return the published table of attacks."""
    return attacks_table(committed(PUBLISHED))


def committed_defences() -> str:
    """Return the published table of defences."""
    return defences_table(committed(PUBLISHED))


def melodies_of(result: Mapping[str, Any], form: str) -> list[dict[str, Any]]:
    """Return the rows of the attack by which forms are compared: one, or one for each number of songs known."""
    return [
        row
        for row in result["rebuilt"]
        if row["form"] == form and row["attack"] == RIDGE and row["n_context"] == result["n_context"]
    ]


def _named(form: str, row: Mapping[str, Any]) -> str:
    if row["n_owned"] is None:
        return form
    if row["n_owned"] == 0:
        return f"{form}, no song known"
    return f"{form}, {counted(row['n_owned'], 'song')} known"


def _percent(found: Mapping[str, float]) -> str:
    return with_interval(found, scale=100, unit=" %")
