"""How often a detector's second stage runs in music, in other sound and in quiet, for the energy account."""

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from detector.gate import GateConfig
from detector.network import DECISION_S
from detector.stream import MODEL_FILE
from detector.training.pools import SoundPools
from evaluation.detector.evaluate import StreamSettings, run_streams
from evaluation.detector.tracks import StreamTrack
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError, ManifestMismatchError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.statistics import cluster_bootstrap

__all__ = ["main", "runs_per_hour"]

_OUTPUTS_PER_H = 3600 / DECISION_S


def runs_per_hour(tracks: Sequence[StreamTrack], wanted_above: int, *, seed: int = 1) -> dict[str, dict[str, float]]:
    """Return the runs of a second stage an hour of each kind of sound.

    Parameters
    ----------
    tracks : sequence of StreamTrack
        Outputs of the first stage alone.
    wanted_above : int in [0, 256]
        Its smallest output, in 256ths, for which the second is run.
    seed : int
        Of the interval.

    Returns
    -------
    dict
        ``music`` (windows wholly in it), ``other`` sound without music and ``quiet``: each with ``value``, the ``low``
        and ``high`` end of its 95 % interval (streams drawn with replacement), and ``hours``.

    Raises
    ------
    ConfigError
        When no window is of one of these kinds.
    """
    is_run = np.concatenate([track.outputs >= wanted_above for track in tracks])
    stream = np.concatenate([np.full(track.outputs.size, number) for number, track in enumerate(tracks)])
    kinds = {
        "music": np.concatenate([track.region_of >= 0 for track in tracks]),
        "other": np.concatenate([track.is_other for track in tracks]),
        "quiet": np.concatenate([track.is_outside & ~track.is_other for track in tracks]),
    }
    rates = {}
    for kind, rows in kinds.items():
        if not rows.any():
            message = f"runs of the second stage: expected windows of {kind}, found none; use more or longer streams"
            raise ConfigError(message)
        share = cluster_bootstrap(is_run[rows].astype(np.float64), stream[rows].tolist(), np.random.default_rng(seed))
        ends = {"value": share.value, "low": share.low, "high": share.high}
        rates[kind] = {name: round(_OUTPUTS_PER_H * end, 1) for name, end in ends.items()}
        rates[kind]["hours"] = round(float(np.count_nonzero(rows)) / _OUTPUTS_PER_H, 3)
    return rates


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the runs of a model folder's second stage and write them into its ``metrics.json``."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.detector.second_stage_runs", description=__doc__)
    parser.add_argument("model", type=Path, help="folder of a detector of two stages")
    parser.add_argument("corpus", type=Path, help="folder with music.tsv, noise.tsv and speech.tsv")
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded audio")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--streams", type=int, default=60, help="of ten minutes each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--output", type=Path, help="JSON file to change; default is metrics.json of the folder")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    folder = ModelFolder.open(given.model, role="detector")
    cascade = folder.manifest.get("cascade")
    if cascade is None:
        message = f"{folder.path / 'manifest.json'}: expected a cascade; this detector has one stage"
        raise ManifestMismatchError(message)
    pools = SoundPools.from_sources(TrainingSources(corpus=given.corpus, cache_dir=given.cache), given.split)
    settings = StreamSettings(gate=GateConfig.from_dict(folder.manifest["gate"]), seed=given.seed)
    tracks = run_streams([(pools, folder.file(MODEL_FILE))], given.streams, settings, jobs=given.jobs)
    measured = {
        "split": given.split,
        "seed": given.seed,
        "n_streams": given.streams,
        "wanted_above": cascade["wanted_above"],
        "runs_per_hour": runs_per_hour(tracks, cascade["wanted_above"], seed=given.seed),
    }
    output = given.output or folder.path / "metrics.json"
    metrics: dict[str, Any] = json.loads(output.read_text(encoding="utf-8")) if output.exists() else {}
    write_json(output, metrics | {"second_stage": measured})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
