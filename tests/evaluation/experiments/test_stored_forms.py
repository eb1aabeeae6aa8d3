"""Forms of storage: how much noise, which bytes, and that a rotation costs floats nothing."""

import numpy as np
import pytest

from evaluation.experiments.secret_rotation import secret_rotation
from evaluation.experiments.stored_forms import StoredForm, forms_of
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, builtin_model_dir
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.codebook_files import load_codebook

MODEL = builtin_model_dir(SHIPPED_FINGERPRINTER)


@pytest.fixture
def vectors(rng: np.random.Generator) -> np.ndarray:
    """Return vectors like music's, around cells of the shipped codebook, the last one silent."""
    rows = load_codebook(MODEL).centroids[:200] + 0.05 * rng.standard_normal((200, 96)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[-1] = 0
    return rows


def test_every_form_keeps_silence_and_repeats_itself(vectors: np.ndarray) -> None:
    forms = forms_of(MODEL, seed=0)
    assert len({form.name for form in forms}) == len(forms) == 11
    for form in forms:
        read = form.read(vectors, np.random.default_rng(1))
        assert not read[-1].any(), form.name
        np.testing.assert_array_equal(read, form.read(vectors, np.random.default_rng(1)))
    (again,) = [form for form in forms_of(MODEL, seed=0) if form.name == "floats, rotated"]
    np.testing.assert_array_equal(again.rotation, forms[-2].rotation)


def test_longer_codes_and_less_noise_keep_more(vectors: np.ndarray) -> None:
    kept = {
        form.name: float(np.mean(np.sum(form.read(vectors, np.random.default_rng(1)) * vectors, axis=1)[:-1]))
        for form in forms_of(MODEL, seed=0)
    }
    codes = [kept[f"{n}-byte codes"] for n in (24, 16, 12, 8, 6)]
    assert codes == sorted(codes, reverse=True)
    assert kept["floats"] == pytest.approx(1.0, abs=1e-5)
    for noise in (0.5, 1.0, 2.0):
        assert kept[f"floats, noise of {noise:g}"] == pytest.approx(1 / np.sqrt(1 + noise**2), abs=0.02)
    assert abs(kept["floats, rotated"]) < 0.1


def test_a_codebook_that_turns_too_writes_the_same_bytes(vectors: np.ndarray) -> None:
    """So a secret rotation in front of codes hides nothing unless the codebook stays as it is."""
    codebook = load_codebook(MODEL)
    turn = secret_rotation(96, np.random.default_rng(1))
    turned = Codebook(
        np.ascontiguousarray(codebook.centroids @ turn),
        np.ascontiguousarray(codebook.rotation @ turn),
        np.asarray(codebook.pq_centroids),
    )
    rows = vectors[:-1]
    (cells, codes), (same_cells, same_codes) = codebook.quantize(rows), turned.quantize(rows @ turn)
    assert np.mean(cells == same_cells) > 0.99
    assert np.mean(codes == same_codes) > 0.99
    public = StoredForm(name="public", defence="rotation", codebook=codebook, rotation=turn)
    read = public.read(rows, np.random.default_rng(1))
    assert abs(float(np.mean(np.sum(read * rows, axis=1)))) < 0.1
