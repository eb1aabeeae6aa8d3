"""Why a song was named, or why not: the evidence of each fingerprint, and the measures that fell short.

The reasons come from the acceptance model itself: each measure in turn is set to its value for a clear match, and the
measures that would have raised the score most are the reasons. So the words cannot drift away from the decision.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from html import escape
from typing import Any

import numpy as np

from nowplaying_core.text import clock, html_table
from ondevice_db.format.track import Track
from ondevice_db.match.accept import Acceptance
from ondevice_db.match.evidence import Evidence
from ondevice_db.match.match import Candidate, Ranking, Step
from ondevice_db.store.store import Songs

__all__ = ["CLEAR_MATCH", "Explanation", "Reason", "explain_match", "reasons_against"]

# Medians over 36 queries: 8 s from three positions of each shipped demo song under the demo's talking at 5 dB, in a
# database of these songs. All of them are recognized.
CLEAR_MATCH: Mapping[str, float] = {
    "mean_similarity": 0.90,
    "above_cohort": 0.48,
    "above_neighbors": 0.48,
    "margin": 0.48,
    "win_rate": 1.0,
    "clear_wins": 0.30,
    "above_shifted": 0.37,
    "sharpness": 0.10,
    "z_above_neighbors": 6.1,
    "steadiness": 0.0,
}
_WORDS: Mapping[str, str] = {
    "mean_similarity": "its fingerprints are not much like the query's",
    "above_cohort": "it is hardly nearer to the query than other music is",
    "above_neighbors": "other songs have fingerprints that are as near",
    "margin": "another song fits nearly as well",
    "win_rate": "few fingerprints are nearer to it than to everything else",
    "clear_wins": "no fingerprint is much nearer to it than to everything else",
    "above_shifted": "it fits as well some seconds earlier or later",
    "sharpness": "its position in the song is not distinct",
    "z_above_neighbors": "other songs are as near for a query that much is near to",
    "steadiness": "the query hardly changes, as a drone does not",
}
_TOO_MUCH = frozenset({"steadiness"})
_MOST_REASONS = 3
_LEAST_GAIN = 0.25  # in logits; less is no reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """One measure that speaks against the best song.

    Attributes
    ----------
    measure : str
        Field of `Evidence`.
    value, clear : float
        Its value here, and for a clear match.
    missing : float
        Cost of the difference, in logits of the score.
    text : str
    """

    measure: str
    value: float
    clear: float
    missing: float
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Why a query was answered as it was.

    Attributes
    ----------
    query_start_s : float, seconds
        Where in the recording the query begins.
    reason : str
        The decision in words.
    reasons : tuple of Reason
        The measures that fell short most, where the answer is "unknown".
    threshold : float in [0, 1]
    n_scanned, n_songs : int
        Fingerprints that each one of the query was compared with; songs in the database.
    evidence : Evidence or None
        Of the first candidate.
    candidates : tuple of Candidate
    steps : tuple of Step
    tracks : mapping of int to Track
        By song index, of every song in ``candidates`` and ``steps``.
    """

    query_start_s: float
    reason: str
    reasons: tuple[Reason, ...]
    threshold: float
    n_scanned: int
    n_songs: int
    evidence: Evidence | None
    candidates: tuple[Candidate, ...]
    steps: tuple[Step, ...]
    tracks: Mapping[int, Track]

    def _repr_html_(self) -> str:
        reasons = "".join(f"<li>{escape(reason.text)}</li>" for reason in self.reasons)
        rows = [
            (self.tracks[one.song_index].name, clock(one.offset_s), f"{one.raw_score:.3f}", f"{one.score:.3f}")
            for one in self.candidates
        ]
        table = html_table(("song", "at", "raw score", "score"), rows, numbers=(1, 2, 3))
        return f"<p>{escape(self.reason)}</p><ul>{reasons}</ul>{table}"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, in which songs are called by their names."""
        names = {
            index: {"track_id": track.track_id, "title": track.title, "artist": track.artist}
            for index, track in self.tracks.items()
        }
        table = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "tracks"}
        return {
            **table,
            "reasons": [asdict(reason) for reason in self.reasons],
            "evidence": None if self.evidence is None else asdict(self.evidence),
            "candidates": [
                {
                    **asdict(one),
                    **names[one.song_index],
                    "also": [{**asdict(other), **names[other.song_index]} for other in one.also],
                }
                for one in self.candidates
            ],
            "steps": [_step_table(step, names) for step in self.steps],
        }


def explain_match(match: Ranking, acceptance: Acceptance, database: Songs, *, query_start_s: float) -> Explanation:
    """Explain a match.

    Parameters
    ----------
    match : Ranking
    acceptance : Acceptance
        That decided it.
    database : Songs
        That was searched.
    query_start_s : float, seconds
    """
    steps = match.steps()
    mentioned = {one.song_index for one in match.candidates}
    mentioned |= {other.song_index for one in match.candidates for other in one.also}
    mentioned |= {step.runner_up_song for step in steps if step.runner_up_song is not None}
    against = reasons_against(match.evidence, acceptance) if match.best is None and match.evidence is not None else ()
    return Explanation(
        query_start_s=query_start_s,
        reason=_decision(match),
        reasons=against,
        threshold=match.threshold,
        n_scanned=match.n_scanned,
        n_songs=database.n_songs,
        evidence=match.evidence,
        candidates=match.candidates,
        steps=steps,
        tracks={index: database.track(index) for index in sorted(mentioned)},
    )


def reasons_against(evidence: Evidence, acceptance: Acceptance) -> tuple[Reason, ...]:
    """Return the measures that would have raised the score most, had they been those of a clear match.

    Parameters
    ----------
    evidence : Evidence
        Of the best song.
    acceptance : Acceptance
    """
    # The model is linear: nothing else of it matters, such as the size of the database.
    vector, coefficients = evidence.to_vector(), np.array(acceptance.coefficients)
    found = []
    for measure, clear in CLEAR_MATCH.items():
        value = float(getattr(evidence, measure))
        changed = replace(evidence, **{measure: clear})  # type: ignore[arg-type]  # measures are float fields
        missing = float((changed.to_vector() - vector) @ coefficients)
        is_worse = value > clear if measure in _TOO_MUCH else value < clear
        if is_worse and missing >= _LEAST_GAIN:
            text = f"{_WORDS[measure]} ({measure} {value:.2f}, {clear:.2f} for a clear match)"
            found.append(Reason(measure=measure, value=value, clear=clear, missing=missing, text=text))
    return tuple(sorted(found, key=lambda reason: -reason.missing)[:_MOST_REASONS])


def _step_table(step: Step, names: Mapping[int, dict[str, str]]) -> dict[str, Any]:
    table = {**asdict(step), "wins": step.wins}
    song = table.pop("runner_up_song")
    return {**table, "runner_up": None if song is None else names[song]}


def _decision(match: Ranking) -> str:
    if not match.candidates:
        return "no song of the database has a fingerprint near the query's"
    score, threshold = match.candidates[0].score, match.threshold
    relation = "reaches" if match.best is not None else "is below"
    return f"the best song's score of {score:.3f} {relation} the threshold of {threshold:.3f}"
