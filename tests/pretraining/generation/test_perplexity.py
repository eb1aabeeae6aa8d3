from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from nowplaying_core.audio.cache import load_cached
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from pretraining.generation.code_run import CodeRun
from pretraining.generation.ngrams import Bigram, unigram
from pretraining.generation.perplexity import draw_perplexities, evaluate_perplexity, perplexity_markdown, used_alike
from pretraining.train import pretrain
from tests.pretraining.material import small_config

pytestmark = pytest.mark.train


def test_all_three_models_are_asked_the_same_codes(code_run: Path, sources: TrainingSources) -> None:
    result = evaluate_perplexity([code_run], sources.corpus, cache_dir=sources.cache_dir)
    (row,) = result["runs"]
    assert row["n_tracks"] == 2
    assert row["n_asked"] == 2 * 6 * 15, "six clips of sixteen codes in four seconds, the first of each not asked"
    run = CodeRun.open(code_run)
    parts = [
        [run.tokenize(load_cached(file.path, sources.cache_dir)) for file in sources.files("music", split)]
        for split in ("train", "dev")
    ]
    known, asked = (np.concatenate(part) for part in parts)
    right, before = asked[:, 1:], asked[:, :-1]
    logits = np.asarray(run.transformer.logits(run.transformer(asked)), np.float64)[:, :-1]
    shares = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    wanted = {
        "unigram": unigram(known, 16)[right],
        "bigram": Bigram(known, 16).probabilities[before, right],
        "transformer": np.take_along_axis(shares, right[..., None], axis=2),
    }
    for name, likely in wanted.items():
        found = row["perplexity"][name]
        assert found["value"] == pytest.approx(np.exp(-np.log(likely).mean()), rel=1e-4)
        assert found["low"] <= found["value"] <= found["high"]
    ratio = row["perplexity"]["transformer"]["value"] / row["perplexity"]["bigram"]["value"]
    assert row["under_bigram"]["value"] == pytest.approx(1 - ratio)
    assert row["perplexity"]["transformer"]["value"] < 16
    used = f"{row['n_codes_used']} of 16 | {row['code_perplexity']:.0f}"
    assert f"| kmeans_codes, seed 1 | 40 x 6 of 0.64 s | {used} | 2, 180 |" in perplexity_markdown(result)


@pytest.mark.parametrize(
    ("codes", "wanted"), [([0, 1, 2, 3], 4.0), ([2, 2, 2, 2], 1.0), ([0, 0, 1, 1], 2.0), ([0, 0, 0, 1], 1.7548)]
)
def test_use_counts_as_many_codes_as_occur_alike_often(codes: list[int], wanted: float) -> None:
    assert used_alike(np.array([codes]), 4) == pytest.approx(wanted, rel=1e-4)


def test_tracks_are_drawn_with_their_models_together(rng: np.random.Generator) -> None:
    n_asked = rng.integers(50, 150, 40)
    one = n_asked * rng.normal(3.0, 0.5, 40)
    drawn = draw_perplexities(np.stack([one, 0.9 * one], axis=1), n_asked, rng)
    assert drawn.shape == (2000, 2)
    np.testing.assert_allclose(np.log(drawn[:, 1]), 0.9 * np.log(drawn[:, 0]))
    assert np.log(drawn[:, 0]).std() == pytest.approx(0.5 / np.sqrt(40), rel=0.3)


def test_a_run_without_codes_is_refused(sources: TrainingSources, tmp_path: Path) -> None:
    pretrain(small_config("random"), sources, tmp_path)
    with pytest.raises(ConfigError, match="expected a run of kmeans_codes or vq_codes, found random"):
        CodeRun.open(tmp_path)


def test_music_of_both_splits_is_not_unseen(code_run: Path, sources: TrainingSources, tmp_path: Path) -> None:
    (tmp_path / "music").symlink_to(sources.corpus / "music")
    with pytest.raises(ConfigError, match="found it in both splits, as 4 recordings are"):
        evaluate_perplexity([code_run], tmp_path, cache_dir=sources.cache_dir)
