"""Continuations judged: prompts, what is drawn, what listeners measure, and the pairs."""

from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from evaluation.experiments.continuations import (
    BIGRAM,
    DRAWN_S,
    OTHER,
    PROMPT_S,
    SONG,
    TRANSFORMER,
    UNCODED,
    clips,
    continuations,
    distance,
    judge,
    prompts_of,
    summary,
    to_markdown,
)
from nowplaying_core.audio.corpus import read_corpus
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from pretraining.generation.code_run import CodeRun
from pretraining.generation.ngrams import Bigram
from tests.detector.sounds import corpus_folder
from tests.pretraining.generation.conftest import code_run, sources  # noqa: F401
from tests.synthesis import song

pytestmark = pytest.mark.train


def test_prompts_are_the_middle_of_long_and_loud_songs(tmp_path: Path) -> None:
    corpus = corpus_folder(tmp_path / "corpus", seconds=PROMPT_S + DRAWN_S + 1)
    n_songs = len(read_corpus(corpus, "music", "dev"))
    found = prompts_of(corpus, tmp_path / "cache", n_songs)
    assert [len(excerpt) for excerpt in found] == [240_000] * n_songs
    with pytest.raises(ConfigError, match=f"expected 2 to {n_songs}, .* found {n_songs + 1}"):
        prompts_of(corpus, tmp_path / "cache", n_songs + 1)


def test_each_model_draws_what_it_expects_after_the_prompt(code_run: Path) -> None:  # noqa: F811
    run = CodeRun.open(code_run)
    circle = np.arange(4000, dtype=np.int32).reshape(1, -1) % 16
    drawn = continuations(run, Bigram(circle, 16), np.int32([3, 4, 5]), 40, seed=[1, 2])
    for codes in drawn.values():
        assert codes.shape == (43,)
        assert codes[:3].tolist() == [3, 4, 5]
    follows = np.mean(np.diff(drawn[BIGRAM]) % 16 == 1)
    assert follows > 0.9, "one code always follows another"
    assert np.mean(np.diff(drawn[TRANSFORMER]) % 16 == 1) < 0.5
    again = continuations(run, Bigram(circle, 16), np.int32([3, 4, 5]), 40, seed=[1, 2])
    np.testing.assert_array_equal(drawn[TRANSFORMER], again[TRANSFORMER])


def test_clips_are_the_whole_sound_in_pieces_of_a_clip(code_run: Path) -> None:  # noqa: F811
    run = CodeRun.open(code_run)
    n_samples = run.n_positions * run.slice_samples
    sound = np.arange(2 * n_samples + 5, dtype=np.float32)
    pieces = clips(run, sound)
    assert [len(piece) for piece in pieces] == [n_samples, n_samples, 5]
    np.testing.assert_array_equal(np.concatenate(pieces), sound)


def test_the_distance_of_pitch_classes_is_small_in_one_key(rng: np.random.Generator) -> None:
    keys = rng.normal(size=(6, 12)) + np.linspace(5, 0, 12)
    near, far = keys + 0.1 * rng.normal(size=(6, 12)), np.roll(keys, 1, axis=0)
    assert distance(near, keys).max() < 0.1
    assert distance(far, keys).mean() > 0.7
    np.testing.assert_allclose(distance(keys, keys), 0, atol=1e-12)


def test_pairs_are_of_one_prompt(rng: np.random.Generator) -> None:
    songs = rng.uniform(size=30)
    music = {SONG: songs, TRANSFORMER: songs - 0.1, BIGRAM: songs - 0.3}
    found = summary(music, {**music, OTHER: songs})
    assert found["n_prompts"] == 30
    assert found["music"]["transformer less bigram"]["low"] == pytest.approx(0.2), "all songs agree"
    assert found["music"][BIGRAM]["high"] - found["music"][BIGRAM]["low"] > 0.1, "songs differ"
    assert found["distance"][OTHER]["value"] == pytest.approx(songs.mean())


def test_a_run_is_judged_by_both_listeners(code_run: Path, sources: TrainingSources) -> None:  # noqa: F811
    excerpts = [0.5 * song(number, PROMPT_S + DRAWN_S) for number in (1, 2)]
    known = [file.path for file in read_corpus(sources.corpus, "music", "train")]
    found = judge(code_run, excerpts, known, sources.cache_dir, seed=1)
    assert found["n_prompts"] == 2
    for model in (UNCODED, SONG, TRANSFORMER, BIGRAM):
        assert 0 <= found["music"][model]["value"] <= 1
        assert 0 <= found["distance"][model]["value"] <= 2
    assert found["distance"][SONG]["value"] < found["distance"][OTHER]["value"]
    assert found["music"][UNCODED] != found["music"][SONG], "codes lose something"
    table = to_markdown({"prompt_s": PROMPT_S, "drawn_s": DRAWN_S, "runs": [found]})
    assert f"{found['music'][BIGRAM]['value']:.2f}" in table
    assert len(table.strip().splitlines()) == 2 + 2 + 6
