"""Fit the statistics of synthetic distractors to real music, and compare the two."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from evaluation.retrieval.distractors import SongStatistics, synthesize_songs
from nowplaying_core.errors import ConfigError
from ondevice_db.index.codebook import Codebook

__all__ = ["compare", "fit_statistics"]

_LAGS = np.array([1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50])
_REPEAT_COSINE = 0.8
_REPEAT_APART = 8  # fingerprints: nearer ones are alike because the sound goes on
_FEWEST_SONGS = 20
_FEWEST_FINGERPRINTS = 60
_N_NEIGHBOURS = 20
_N_COMPARED = 400  # songs
_PER_SONG = 12  # fingerprints of each song that are compared with those of others
_BISECTIONS = 7

Songs = Sequence[NDArray[np.float32]]


def fit_statistics(
    songs: Songs,
    codebook: Codebook,
    *,
    hop_s: float,
    embedding_space: str,
    provenance: Mapping[str, Any],
    seed: int = 0,
) -> SongStatistics:
    """Fit :class:`SongStatistics` to the fingerprints of whole songs.

    The covariances and the two speeds of change follow from moments. How strongly fingerprints crowd, how often
    sections return and how exactly are then set so that distractors agree with the real ones in the similarity to the
    nearest fingerprint of another song, and in the share and the closeness of fingerprints that come again later.

    Parameters
    ----------
    songs : sequence of ndarray of float32, shape (n, dim)
        Unit rows, zero where silent.
    codebook : Codebook
    hop_s : float, seconds
    embedding_space : str
    provenance : mapping
    seed : int

    Raises
    ------
    ConfigError
        When there are fewer than 20 songs of at least 60 fingerprints.
    """
    silent_share = float(np.mean([not row.any() for rows in songs for row in rows]))
    sounding = [rows[rows.any(axis=1)] for rows in songs]
    sounding = [rows for rows in sounding if len(rows) >= _FEWEST_FINGERPRINTS]
    if len(sounding) < _FEWEST_SONGS:
        message = f"fit: expected {_FEWEST_SONGS} songs of {_FEWEST_FINGERPRINTS} fingerprints, found {len(sounding)}"
        raise ConfigError(message)
    means = np.stack([rows.mean(axis=0) for rows in sounding]).astype(np.float64)
    deviations = np.concatenate([rows - rows.mean(axis=0) for rows in sounding]).astype(np.float64)
    within = deviations.T @ deviations / (len(deviations) - len(sounding))
    share, section, phi, lost = _fit_speeds(_autocorrelation(sounding))
    # A song's own mean takes away a part of its slow changes, and adds as much to the spread of the means.
    within /= 1 - lost
    between = np.cov(means.T) - lost * within
    statistics = SongStatistics(
        mean=means.mean(axis=0).astype(np.float32),
        between=_factor(between),
        within=_factor(within),
        hop_s=hop_s,
        section_share=share,
        section_s=section * hop_s,
        lag_correlation=phi,
        repeat_share=0.3,
        repeat_noise=0.3,
        clustering=0.35,
        silent_share=silent_share,
        embedding_space=embedding_space,
        provenance={},
    )
    statistics = _tune(statistics, sounding, codebook, seed)
    found = compare(sounding, _synthesize_like(statistics, codebook, sounding, seed), codebook)
    return replace(statistics, provenance={**provenance, "n_songs": len(sounding), "real_and_synthetic": found})


def compare(real: Songs, synthetic: Songs, codebook: Codebook) -> dict[str, list[float]]:
    """Return measures of real songs and of distractors, in pairs."""
    ours, theirs = _measures(real, codebook), _measures(synthetic, codebook)
    return {name: [round(ours[name], 4), round(theirs[name], 4)] for name in ours}


def _tune(statistics: SongStatistics, sounding: Songs, codebook: Codebook, seed: int) -> SongStatistics:
    real = _measures(sounding, codebook)

    def bisect(name: str, measure: str, low: float, high: float, *, rises: bool) -> None:
        nonlocal statistics
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            statistics = replace(statistics, **{name: middle})  # type: ignore[arg-type]
            value = _measures(_synthesize_like(statistics, codebook, sounding, seed), codebook)[measure]
            low, high = (middle, high) if (value < real[measure]) == rises else (low, middle)

    # Each measure answers mostly to one parameter; twice around settles them together.
    for _ in range(2):
        bisect("clustering", "nearest_other_song_p50", 0.0, 0.9, rises=True)
        bisect("lag_correlation", "autocorrelation_1", 0.0, 0.9, rises=True)
        bisect("repeat_noise", "repeat_cosine_p50", 0.0, 0.9, rises=False)
        bisect("repeat_share", "repeated_share", 0.0, 0.95, rises=True)
    return statistics


def _synthesize_like(
    statistics: SongStatistics, codebook: Codebook, sounding: Songs, seed: int
) -> list[NDArray[np.float32]]:
    mean_s = float(np.mean([len(rows) for rows in sounding])) * statistics.hop_s
    synthetic = synthesize_songs(statistics, codebook, len(sounding), seed=seed, mean_duration_s=mean_s)
    return [rows[rows.any(axis=1)] for rows in synthetic]


def _measures(songs: Songs, codebook: Codebook) -> dict[str, float]:
    correlation = _autocorrelation(songs)
    rows = np.concatenate([song[:: max(1, len(song) // _PER_SONG)][:_PER_SONG] for song in songs[:_N_COMPARED]])
    label = np.repeat(np.arange(min(len(songs), _N_COMPARED)), [min(_PER_SONG, len(s)) for s in songs[:_N_COMPARED]])
    similarities = rows @ rows.T
    similarities[label[:, None] == label] = -1
    nearest = -np.partition(-similarities, _N_NEIGHBOURS, axis=1)[:, :_N_NEIGHBOURS]
    cells = codebook.assign(rows)
    share = np.bincount(cells, minlength=codebook.n_cells) / len(rows)
    closest = np.concatenate([_closest_repeat(song) for song in songs])
    again = closest[closest >= _REPEAT_COSINE]
    within = sum(float(np.square(song - song.mean(axis=0)).sum()) for song in songs) / sum(map(len, songs))
    return {
        "variance_within_songs": within,
        "variance_of_song_means": float(np.trace(np.cov(np.stack([song.mean(axis=0) for song in songs]).T))),
        "autocorrelation_1": float(correlation[0]),
        "autocorrelation_2": float(correlation[1]),
        "autocorrelation_10": float(correlation[int(np.flatnonzero(_LAGS == 10)[0])]),
        "nearest_other_song_p5": float(np.quantile(nearest[:, 0], 0.05)),
        "nearest_other_song_p50": float(np.median(nearest[:, 0])),
        "nearest_other_song_p95": float(np.quantile(nearest[:, 0], 0.95)),
        "mean_of_20_nearest_p50": float(np.median(nearest.mean(axis=1))),
        "repeated_share": float((closest >= _REPEAT_COSINE).mean()),
        "repeat_cosine_p50": float(np.median(again)) if again.size else _REPEAT_COSINE,
        "cell_perplexity": float(np.exp(-(share[share > 0] * np.log(share[share > 0])).sum())),
        "residual_by_cell": float(np.square(rows - codebook.centroids[cells]).sum(axis=1).mean()),
    }


def _closest_repeat(song: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each fingerprint's cosine with the nearest one that stands some way off in its song."""
    similarities = song @ song.T
    near = np.abs(np.arange(len(song))[:, None] - np.arange(len(song))) < _REPEAT_APART
    similarities[near] = -1
    closest: NDArray[np.float32] = similarities.max(axis=1)
    return closest


def _autocorrelation(songs: Songs) -> NDArray[np.float64]:
    centred = [song - song.mean(axis=0) for song in songs]
    values = []
    for lag in _LAGS:
        pairs = [(song[:-lag], song[lag:], song) for song in centred if len(song) > lag]
        product = sum(float(np.einsum("nd,nd->", first, second)) for first, second, _ in pairs)
        power = sum(float(np.square(song).sum()) * (1 - lag / len(song)) for *_, song in pairs)
        values.append(product / power)
    return np.array(values)


def _fit_speeds(correlation: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Return the sections' share and mean length in fingerprints, the lag correlation, and what a song's mean takes."""

    def misfit(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        share, section, phi, lost = parameters
        model = (1 - share) * phi**_LAGS + share * np.exp(-_LAGS / section)
        result: NDArray[np.float64] = (model - lost) / (1 - lost) - correlation
        return result

    curve: Callable[..., Any] = least_squares
    found = curve(misfit, [0.15, 12.0, 0.3, 0.03], bounds=([0.0, 4.0, 0.0, 0.0], [0.9, 60.0, 0.9, 0.5])).x
    return float(found[0]), float(found[1]), float(found[2]), float(found[3])


def _factor(covariance: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return a factor L of a covariance, its negative eigenvalues taken as zero."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    factor: NDArray[np.float32] = (vectors * np.sqrt(np.maximum(values, 0.0))).astype(np.float32)
    return factor
