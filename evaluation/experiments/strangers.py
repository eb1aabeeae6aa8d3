"""Ambient music and sounds that must get no name: python -m evaluation.experiments.strangers --corpus C --out FILE ...

Ambient music is what fingerprints mistake most: a drone is near to every other drone. Clean queries of 8 s are asked

- of sustained ``dev`` music (:func:`~evaluation.detector.onsets.onset_class`), with its song in the index, and with it
  and all that is the same music masked;
- of sustained unknown music;
- of synthetic drones, among the corpus and fifty other synthetic drones.

Speech and noise of ``dev`` are asked of the corpus, 8 and 2 s, and counted by where they come from. ``dev`` music is
judged by the acceptance model of the other half of the tracks, from the model's ``metrics.json``; what is in no fit is
judged by the model that ships.
"""

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evaluation.committed import committed
from evaluation.detector.onsets import onset_class
from evaluation.experiments.recognizers import acceptances_of_halves
from evaluation.retrieval.calibration import CrossFit, judge
from evaluation.retrieval.conditions import CLEAN, LONGEST_S, Condition
from evaluation.retrieval.drones import JUDGED_SEED, Drones
from evaluation.retrieval.embedding import load_long_enough
from evaluation.retrieval.evaluation_set import EvaluationSet, build_evaluation_set
from evaluation.retrieval.matching import Outcomes, System, match_all
from evaluation.retrieval.report import percent
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, write_json
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.audio.corpus import Group, read_corpus
from nowplaying_core.command import run_command
from nowplaying_core.statistics import poisson_upper
from nowplaying_core.text import markdown_table
from ondevice_db.lookup import acceptance_of
from ondevice_db.match.accept import Acceptance

__all__ = ["Strangers", "committed_table", "counted", "main", "to_markdown"]

RESULTS: Final = "evaluation/experiments/strangers.json"
_CONDITIONS: Final = (CLEAN, Condition(length_s=2.0))
_GROUPS: Final[tuple[Group, ...]] = ("speech", "noise")


@dataclass(frozen=True, slots=True)
class Strangers:
    """The corpus, and the acceptance models that judge.

    Attributes
    ----------
    data : EvaluationSet
    cross_fit : CrossFit
        Of the two halves of ``dev`` music.
    shipped : Acceptance
    seed : int
    """

    data: EvaluationSet
    cross_fit: CrossFit
    shipped: Acceptance
    seed: int

    def sustained(self, plan: str, n: int) -> NDArray[np.int64]:
        """Return the numbers of the first queries of a plan, at most ``n``, whose music is sustained."""
        found: list[int] = []
        queries = self.data.plans[plan].queries if plan in self.data.plans else ()
        for number, query in enumerate(queries):
            first = round(query.start_s * SAMPLE_RATE_HZ)
            samples = load_long_enough(query.path, self.data.embeddings.folder)
            if onset_class(samples[first : first + round(LONGEST_S * SAMPLE_RATE_HZ)]) == "sustained":
                found.append(number)
            if len(found) == n:
                break
        return np.array(found, np.int64)

    def ask(
        self, plan: str, rows: NDArray[np.int64], condition: Condition = CLEAN, *, is_masked: bool = False
    ) -> Outcomes:
        """Match some queries of a plan; masked, without their songs."""
        whole = self.data.plans[plan]
        chosen = replace(whole, queries=tuple(whole.queries[row] for row in rows))
        hidden = [self.data.masks[row] for row in rows] if is_masked else None
        system = System(library=self.data.library, hop_s=self.data.embeddings.query_hop_s)
        embeddings = self.data.embeddings
        return match_all(system, embeddings.queries(chosen, condition), hidden, first_s=embeddings.first_s(condition))

    def ambient(self, n: int, n_indexed: int, database: Path) -> list[dict[str, Any]]:
        """Return how often sustained music is named wrongly."""
        found, n_searched = [], self.cross_fit.n_searched
        dev = self.sustained("known", n)
        if dev.size:
            halves, n_recordings = self.data.halves("known", self.seed)[dev], self._n_recordings("known", dev)
            own, masked = self.ask("known", dev), self.ask("known", dev, is_masked=True)
            is_correct = own.correct(self.data.library, self.data.true_songs[dev])
            accepted = self.cross_fit.judge(own.features, halves)[1]
            named = self.cross_fit.judge(masked.features, halves)[1]
            right = {"right": int((accepted & is_correct).sum()), "n_recordings": n_recordings}
            found = [
                {**counted("sustained music of dev, its song in the index", accepted & ~is_correct), **right},
                {**counted("sustained music of dev, its song masked", named), "n_recordings": n_recordings},
            ]
        unknown = self.sustained("unknown", n)
        if unknown.size:
            named = judge(self.shipped, self.ask("unknown", unknown).features, n_searched)[1]
            n_recordings = self._n_recordings("unknown", unknown)
            found.append({**counted("sustained unknown music", named), "n_recordings": n_recordings})
        return [*found, self._drones(n, n_indexed, database)]

    def _n_recordings(self, plan: str, rows: NDArray[np.int64]) -> int:
        return len({self.data.plans[plan].queries[row].path for row in rows})

    def _drones(self, n: int, n_indexed: int, database: Path) -> dict[str, Any]:
        data = self.data
        drones = Drones.among(data.library, data.embeddings, database, n_indexed=n_indexed, seed=JUDGED_SEED)
        accepted = judge(self.shipped, drones.ask(n).features, int(drones.library.song_starts[-1]))[1]
        shutil.rmtree(database)
        return {**counted(f"synthetic drones, {n_indexed} others in the index", accepted), "n_recordings": n}

    def sounds(self, group: Group, corpus: Path) -> list[dict[str, Any]]:
        """Return how often speech or noise of ``dev`` is named, by source and in all."""
        source = {file.path: file.source for file in read_corpus(corpus, group, "dev")}
        queries = self.data.plans[group].queries
        rows = np.arange(len(queries))
        names = np.array([source[query.path] for query in queries])
        named = [
            judge(self.shipped, self.ask(group, rows, condition).features, self.cross_fit.n_searched)[1]
            for condition in _CONDITIONS
        ]
        found = []
        for name in [*sorted(set(names)), None]:
            chosen = rows if name is None else np.flatnonzero(names == name)
            by_condition = [
                {"condition": condition.name, **counted(group, accepted[chosen])}
                for condition, accepted in zip(_CONDITIONS, named, strict=True)
            ]
            recordings = len({queries[row].path for row in chosen})
            found.append({"group": group, "source": name, "n_recordings": recordings, "conditions": by_condition})
        return found


def counted(name: str, accepted: NDArray[np.bool_]) -> dict[str, Any]:
    """Return how many queries got a name, and the one-sided 95 % Poisson upper bound of the rate."""
    n, count = int(accepted.size), int(accepted.sum())
    return {"queries": name, "n": n, "count": count, "upper_95": poisson_upper(count, n)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=SHIPPED_FINGERPRINTER)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--ambient", type=int, default=100, help="queries of each kind of ambient music")
    parser.add_argument("--drones", type=int, default=50, help="synthetic drones in the index")
    parser.add_argument("--sounds", type=int, default=1500, help="queries of speech, and of noise")
    parser.add_argument("--seed", type=int, default=1, help="as nowplaying evaluate retrieval had it")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    options = parser.parse_args(arguments)
    data = build_evaluation_set(
        options.model, options.corpus, options.cache_dir, n_sounds=options.sounds, seed=options.seed, room_kinds=()
    )
    fingerprinter = data.embeddings.fingerprinter
    cross_fit = CrossFit(acceptances_of_halves(data), int(data.library.song_starts[-1]))
    strangers = Strangers(data, cross_fit, acceptance_of(fingerprinter), options.seed)
    ambient = strangers.ambient(options.ambient, options.drones, data.library.database.with_suffix(".drones.npdb"))
    sounds = [row for group in _GROUPS if group in data.plans for row in strangers.sounds(group, options.corpus)]
    result = {"schema": "strangers/1", "model": fingerprinter.name, "n_songs": int(data.library.groups.size)}
    write_json(options.out, {**result, "ambient": ambient, "sounds": sounds})
    print(to_markdown({**result, "ambient": ambient, "sounds": sounds}))


def to_markdown(result: dict[str, Any]) -> str:
    """Return the two tables."""
    ambient = [
        [
            row["queries"],
            f"{row['n_recordings']}",
            f"{row['n']}",
            f"{row['right']}" if "right" in row else "",
            f"{row['count']}",
            percent(row["upper_95"], 1),
        ]
        for row in result["ambient"]
    ]
    sounds = []
    for row in result["sounds"]:
        name = row["group"] if row["source"] is None else f"{row['group']}: {row['source']}"
        cells = [name, f"{row['n_recordings']}"]
        for one in row["conditions"]:
            cells += [f"{one['count']} of {one['n']}", percent(one["upper_95"], 2)]
        sounds.append([f"**{cell}**" if row["source"] is None else cell for cell in cells])
    lengths = [one["condition"] for one in result["sounds"][0]["conditions"]] if sounds else []
    heads = [
        "sound",
        "recordings",
        *(head for length in lengths for head in (f"named, {length}", "95 % upper bound, %")),
    ]
    tables = [
        markdown_table(
            ["ambient music, clean, 8 s", "recordings", "queries", "right", "taken for another", "95 % upper bound, %"],
            ambient,
        ),
        markdown_table(heads, sounds),
    ]
    return "\n\n".join(tables)


def committed_table() -> str:
    """Return the tables of the published result."""
    return to_markdown(committed(RESULTS))


if __name__ == "__main__":
    run_command(main)
