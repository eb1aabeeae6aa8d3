import logging
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from pretraining.bits.pairs import FingerprintPairs, fingerprint_pairs
from pretraining.config.bits import BitConfig
from pretraining.probe.run import ProbeSettings, probe
from pretraining.train import build_pretext, pretrain
from tests.detector.sounds import corpus_folder
from tests.pretraining.material import small_config

pytestmark = pytest.mark.train
DIM = 12
BITS = BitConfig(dim=DIM, n_bits=16, n_tables=2, table_bits=4, balance=4.0)


@pytest.fixture
def pairs(rng: np.random.Generator) -> FingerprintPairs:
    """Return clean vectors of one sign most of the time, and copies with noise."""
    clean = rng.standard_normal((300, DIM)) + 0.5
    both = np.stack([clean, clean + 0.4 * rng.standard_normal(clean.shape)], axis=1)
    return FingerprintPairs((both / np.linalg.norm(both, axis=2, keepdims=True)).astype(np.float32))


def test_bits_learn_to_stand_for_their_vectors_and_to_agree(pairs: FingerprintPairs) -> None:
    keras.utils.set_random_seed(5)
    config = small_config("binary_codes", learning_rate=1e-2, clips_per_step=64, bits=BITS)
    pretext = build_pretext(config, pairs)
    bits = pretext.encoder.get_layer("bits")

    def state() -> tuple[float, float, float]:
        clean, degraded = pairs.vectors[:, 0], pairs.vectors[:, 1]
        signs, others = (np.where(np.asarray(pretext.encoder(rows)) > 0, 1.0, -1.0) for rows in (clean, degraded))
        near = degraded @ np.asarray(bits.decode(signs.astype(np.float32))).T
        found = float((near.argmax(axis=1) == np.arange(300)).mean())
        return found, float((signs == others).mean()), float(np.abs(signs.mean(axis=0)).mean())

    found, agreeing, uneven = state()
    losses = [float(pretext.train_on_batch(pretext.draw(pairs, np.random.default_rng(step)))) for step in range(150)]
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
    after = state()
    assert after[0] > found
    assert after[1] > agreeing - 0.05
    assert after[2] < 0.7 * uneven, "each bit is set about as often as not"


def test_pairs_are_made_once_by_the_shipped_fingerprinter_and_no_probe_takes_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sources = TrainingSources(corpus=corpus_folder(tmp_path / "corpus", seconds=4.0), cache_dir=tmp_path / "cache")
    config = small_config("binary_codes", past_s=0.1, bits=BitConfig(n_pairs=6))
    caplog.set_level(logging.INFO)
    made = fingerprint_pairs(config, sources).vectors
    assert made.shape == (6, 2, 96)
    np.testing.assert_allclose(np.linalg.norm(made, axis=2), 1, atol=1e-5)
    own, others = np.einsum("nd,nd->n", made[:, 0], made[:, 1]), made[:, 0] @ made[:, 1].T
    assert own.mean() > others.mean()
    assert "6 of 6 pairs of fingerprints" in caplog.messages
    caplog.clear()
    again = fingerprint_pairs(config, sources).vectors
    np.testing.assert_array_equal(again, made)
    assert caplog.messages == []
    table = sources.corpus / "noise.tsv"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace("1.wav\ttrain", "1.wav\tdev"), encoding="utf-8")
    assert not np.array_equal(fingerprint_pairs(config, sources).vectors, made), "of other noise"
    table.write_text(text, encoding="utf-8")
    pretrain(config, sources, tmp_path / "run")
    with pytest.raises(ConfigError, match="expected an encoder of sound"):
        probe([tmp_path / "run"], [], ProbeSettings(), cache_dir=tmp_path)
    with pytest.raises(ConfigError, match=r"bits.dim: expected the 96"):
        fingerprint_pairs(small_config("binary_codes", bits=BitConfig(dim=64, n_pairs=6)), sources)
