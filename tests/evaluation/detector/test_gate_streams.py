"""Streams to choose a gate on: never of what a stage learned from, and never silently."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.training.folds import HeldOut
from evaluation.detector import evaluate, gate_streams
from evaluation.detector.gate_streams import Detectors, held_out_of, run_gate_streams
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError, ManifestMismatchError
from nowplaying_core.manifest import ModelFolder
from tests.detector.sounds import corpus_folder

HALF = HeldOut(fold=1, n_folds=2)


def shipped(**changes: Any) -> ModelFolder:
    """The shipped detector, its manifest changed at places such as ``training__data``."""
    model = ModelFolder.open(SHIPPED_DETECTOR, role="detector")
    manifest = dict(model.manifest)
    for place, value in changes.items():
        *tables, name = place.split("__")
        inner = manifest
        for table in tables:
            inner[table] = dict(inner[table])
            inner = inner[table]
        inner[name] = value
    return ModelFolder(model.path, manifest)


def recorded(first: int | None, second: int | None) -> Detectors:
    model = shipped(
        training__config__training={"held_out_fold": first, "held_out_of": 8},
        cascade__training__training={"held_out_fold": second, "held_out_of": 8},
    )
    return Detectors(model=model, first_stage=model)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> TrainingSources:
    """A corpus with a source of its own for every recording."""
    root = tmp_path_factory.mktemp("corpus")
    corpus = corpus_folder(root, seconds=4.0)
    for table in corpus.glob("*.tsv"):
        head, *lines = table.read_text(encoding="utf-8").splitlines()
        rows = [line.split("\t") for line in lines]
        own = ["\t".join([*row[:3], f"source {number}", *row[4:]]) for number, row in enumerate(rows)]
        table.write_text("\n".join([head, *own]) + "\n", encoding="utf-8")
    return TrainingSources(corpus=corpus, cache_dir=root / "cache")


def test_what_the_manifests_record_needs_no_statement() -> None:
    assert held_out_of(recorded(3, 3), None) == (HeldOut(fold=3, n_folds=8), True)
    # Manifests of before there was such a setting take the caller's word, which is remembered as such.
    unknown = Detectors(model=shipped(), first_stage=shipped())
    assert held_out_of(unknown, HALF) == (HALF, False)
    assert held_out_of(recorded(3, None), HeldOut(fold=3, n_folds=8)) == (HeldOut(fold=3, n_folds=8), False)


@pytest.mark.parametrize(
    ("detectors", "stated", "expected"),
    [
        (recorded(None, None), None, "its first stage does not record .* --held-out-fold"),
        (recorded(3, None), None, "its second stage does not record"),
        (recorded(3, 4), None, "its second stage left out fold 4 of 8, expected fold 3 of 8"),
        (recorded(3, 3), HALF, "its first stage left out fold 3 of 8, expected fold 1 of 2"),
    ],
)
def test_stages_that_do_not_say_or_that_differ_are_refused(
    detectors: Detectors, stated: HeldOut | None, expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected):
        held_out_of(detectors, stated)


def test_sources_that_the_first_stage_learned_from_are_refused(sources: TrainingSources) -> None:
    learned = shipped(training__data={"music": {"sources": ["source 0", "source 1"]}})
    both = Detectors(model=learned, first_stage=learned)
    with pytest.raises(
        ConfigError, match=r"has learned from 1 sources of fold 1 of 2, such as music: source 1;.*--first"
    ):
        run_gate_streams(both, sources, n_train=1, n_dev=1, stated=HALF)
    silent = Detectors(model=learned, first_stage=shipped(training__data=None))
    with pytest.raises(ManifestMismatchError, match="expected the sources of its training in the manifest"):
        run_gate_streams(silent, sources, n_train=1, n_dev=1, stated=HALF)


def test_recordings_of_no_split_are_refused(tmp_path: Path) -> None:
    corpus = corpus_folder(tmp_path, seconds=1.0)
    for table in corpus.glob("*.tsv"):
        table.unlink()
    model = shipped(training__data={})
    with pytest.raises(ConfigError, match="found it in both splits, as 4 recordings are"):
        run_gate_streams(
            Detectors(model=model, first_stage=model),
            TrainingSources(corpus=corpus, cache_dir=tmp_path),
            n_train=1,
            n_dev=1,
            stated=HALF,
        )


def test_streams_are_of_the_held_out_sources_and_go_on_where_they_stopped(
    sources: TrainingSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shipped(training__data={"music": {"sources": ["source 0"]}})
    detectors = Detectors(model=model, first_stage=model)

    def run(n: int, **changes: Any) -> gate_streams.GateStreams:
        settings: dict[str, Any] = {"wanted_above": (0, 64), "stated": HALF, "stream_s": 125.0, **changes}
        return run_gate_streams(detectors, sources, n_train=n, n_dev=n, **settings)

    one = run(1)
    (train,), (dev,) = one.train, one.dev
    assert (one.held_out, one.is_recorded) == (HALF, False)
    assert {region.source for region in train.regions} == {"source 1"}
    assert {region.source for region in dev.regions} <= {"source 2", "source 3"}
    assert {Path(name).name for part in train.parts for name in part.files} <= {"1.wav"}
    # The second stage was run from the smallest output on, so everywhere.
    assert train.first_outputs.shape == train.outputs.shape
    assert np.any(train.outputs[train.first_outputs < 64] > 0)

    composed: list[int] = []

    def counting(compose: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments, **options: composed.append(1) or compose(*arguments, **options)

    monkeypatch.setattr(evaluate, "compose_stream", counting(evaluate.compose_stream))
    again = run(1)
    assert composed == []
    assert [track.to_dict() for track in (*again.train, *again.dev)] == [track.to_dict() for track in (train, dev)]
    run(1, stream_s=30.0)
    assert len(composed) == 2
    changed = sorted((sources.corpus / "music").rglob("1.wav"))[0]
    os.utime(changed, ns=(0, 0))
    run(1, stream_s=30.0)
    assert len(composed) == 3, "a stream of another recording in its place"
