"""The picture behind an answer: the query laid against the song, every fingerprint with every one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.plotting import new_figure
from ondevice_db.index.normalize import power_normalize
from ondevice_db.match.match import Ranking, Step
from ondevice_db.store.store import Songs

__all__ = ["AlignmentMap", "map_alignment"]

_AROUND_S = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class AlignmentMap:
    """The query compared with the part of its best song about the alignment.

    Attributes
    ----------
    title : str
        Of the best song.
    times_s : ndarray of float64, shape (n,), seconds
        Of the query fingerprints, evenly spaced; below zero where windows overhang the query.
    reference_s : ndarray of float64, shape (m,), seconds
        Of the song's fingerprints about the alignment, evenly spaced.
    similarities : ndarray of float32, shape (m, n)
        NaN where the query or the song is silent.
    offset_s : float, seconds
        Where in the song the query begins.
    score, threshold : float in [0, 1]
    is_named : bool
        Whether the song is the answer: a further look may have refused what reaches the threshold.
    steps : tuple of Step
    """

    title: str
    times_s: NDArray[np.float64]
    reference_s: NDArray[np.float64]
    similarities: NDArray[np.float32]
    offset_s: float
    score: float
    threshold: float
    is_named: bool
    steps: tuple[Step, ...]

    def plot(self) -> Any:
        """Draw it: similarities of query time against song time, and below them each fingerprint's evidence.

        Returns
        -------
        matplotlib.figure.Figure
            A notebook shows it; ``savefig`` writes it.

        Raises
        ------
        MissingExtraError
            Without matplotlib.
        """
        figure = new_figure(figsize=(8, 8))
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        _draw_map(figure, upper, self)
        _draw_steps(lower, self)
        return figure


def map_alignment(
    database: Songs,
    match: Ranking,
    queries: NDArray[np.float32],
    hop_s: float,
    *,
    title: str,
    is_named: bool,
    first_s: float = 0.0,
) -> AlignmentMap:
    """Compare all of a query with the part of its best song about the alignment.

    Parameters
    ----------
    database : Songs
    match : Ranking
        With at least one candidate.
    queries : ndarray of float32, shape (n, dim)
        Unit rows, zero where it is silent.
    hop_s : float > 0, seconds
        Of the query.
    title : str
    is_named : bool
        Whether the song is the answer.
    first_s : float, seconds
        Where the first row of ``queries`` begins.
    """
    best = match.candidates[0]
    reference_hop_s = database.manifest.hop_s
    start, end = (int(one) for one in database.song_starts[best.song_index : best.song_index + 2])
    times_s: NDArray[np.float64] = np.arange(queries.shape[0], dtype=np.float64) * hop_s + first_s
    first = max(0, int((best.offset_s - _AROUND_S) / reference_hop_s))
    last = min(end - start, int((best.offset_s + times_s[-1] + _AROUND_S) / reference_hop_s) + 1)
    positions = np.arange(min(first, end - start - 1), max(last, 1))
    vectors = power_normalize(database.index.references(start + positions, database.song_starts))
    silent = np.logical_or.outer(~np.any(vectors, axis=1), ~np.any(queries, axis=1))
    return AlignmentMap(
        title=title,
        times_s=times_s,
        reference_s=positions.astype(np.float64) * reference_hop_s,
        similarities=np.where(silent, np.nan, vectors @ queries.T).astype(np.float32),
        offset_s=best.offset_s,
        score=best.score,
        threshold=match.threshold,
        is_named=is_named,
        steps=match.steps(),
    )


def _draw_map(figure: Any, axes: Any, alignment: AlignmentMap) -> None:
    x, y = _edges(alignment.times_s), _edges(alignment.reference_s)
    axes.set_facecolor("0.85")  # silence
    mesh = axes.pcolormesh(x, y, alignment.similarities, cmap="viridis", vmin=0.0, vmax=1.0)
    times_s = np.array([x[0], x[-1]])
    axes.plot(times_s, times_s + alignment.offset_s, color="white", linewidth=3)
    axes.plot(times_s, times_s + alignment.offset_s, color="tab:red", linewidth=1.5, linestyle="--", label="alignment")
    axes.set_ylim(y[0], y[-1])
    axes.set_ylabel("song time (s)")
    decision = "accepted" if alignment.is_named else "unknown"
    # A dollar sign would begin mathematics.
    title = alignment.title.replace("$", r"\$")
    axes.set_title(
        f"best candidate {title}: {decision}, score {alignment.score:.3f}, threshold {alignment.threshold:.3f}"
    )
    axes.legend(loc="upper left")
    figure.colorbar(mesh, ax=axes, label="similarity")


def _draw_steps(axes: Any, alignment: AlignmentMap) -> None:
    steps = alignment.steps
    times_s = [step.time_s for step in steps]
    runners_up = [np.nan if step.runner_up_similarity is None else step.runner_up_similarity for step in steps]
    axes.plot(times_s, [step.similarity for step in steps], "o-", color="tab:red", label="this song, aligned")
    axes.plot(times_s, runners_up, "s--", color="tab:blue", label="runner-up")
    axes.plot(times_s, [step.cohort_similarity for step in steps], ":", color="0.4", label="cohort (other music)")
    axes.set_ylim(min(0.0, axes.get_ylim()[0]), 1.02)
    axes.set_xlabel("query time (s)")
    axes.set_ylabel("similarity")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)


def _edges(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    step = float(centres[1] - centres[0]) if centres.size > 1 else 1.0
    return np.append(centres - step / 2, centres[-1] + step / 2)
