"""The measurement of defences from recordings to its tables, and that what is finished is not done again."""

import json
from pathlib import Path

import pytest

pytest.importorskip("keras", reason="needs the train extra")

from evaluation.experiments import defences, thief
from evaluation.experiments.defences import main
from evaluation.experiments.stored_forms import StoredForm, forms_of
from nowplaying_core.errors import ConfigError
from pretraining.audit import melody
from tests.detector.sounds import corpus_folder

FORMS = ["floats", "12-byte codes", "floats, noise of 1", "floats, rotated", "12-byte codes, rotated"]
pytestmark = pytest.mark.train


def _some_forms(model: Path, seed: int) -> list[StoredForm]:
    return [form for form in forms_of(model, seed) if form.name in FORMS]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer rows, songs that are compared by eight fingerprints, and ridge regression in place of networks."""
    monkeypatch.setitem(melody.ATTACKS, "network", melody.learn_ridge)
    monkeypatch.setattr(thief, "_N_COMPARED", 8)
    monkeypatch.setattr(defences, "_CONTEXTS", (3,))
    monkeypatch.setattr(defences, "_N_DRAWN", 6)
    monkeypatch.setattr(defences, "forms_of", _some_forms)
    monkeypatch.setattr(defences, "_N_OWNED", (1,))
    monkeypatch.setattr(defences, "_N_OWNED_OF_CODES", 1)


@pytest.mark.usefixtures("small")
def test_one_command_measures_all_forms_and_goes_on_where_it_was_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = corpus_folder(tmp_path / "corpus", seconds=14.0)
    arguments = ["--corpus", str(corpus), "--cache-dir", str(tmp_path / "cache"), "--queries", "6"]
    arguments += ["--out", str(tmp_path / "out")]
    main(arguments)
    shown = capsys.readouterr().out
    result = json.loads((tmp_path / "out/defences.json").read_text(encoding="utf-8"))
    forms = [row["form"] for row in result["retrieval"]]
    assert forms == FORMS
    assert all(f"| {form}" in shown for form in forms)
    floats, turned = (
        next(row["rank1"] for row in result["retrieval"] if row["form"] == form) for form in (forms[0], forms[-2])
    )
    assert {name: one["value"] for name, one in floats.items()} == {n: one["value"] for n, one in turned.items()}

    def not_again(*_: object) -> None:
        raise AssertionError

    for work in ("rebuild", "rebuild_turned", "find_songs"):
        monkeypatch.setattr(thief.Thief, work, not_again)
    monkeypatch.setattr(defences, "rank1", not_again)
    (tmp_path / "out/defences.json").unlink()
    main(arguments)
    assert capsys.readouterr().out == shown
    with pytest.raises(ConfigError, match="was given queries: 6, not 5"):
        main([*arguments, "--queries", "5"])
    given = tmp_path / "out/init.json"
    record = json.loads(given.read_text(encoding="utf-8"))
    given.write_text(json.dumps({**record, "codebook_words.npy": "of other codes"}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"was given codebook_words\.npy: of other codes, not "):
        main(arguments)


def test_a_corpus_that_is_too_small_is_refused_before_anything_is_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = corpus_folder(tmp_path / "corpus", seconds=14.0)
    arguments = ["--corpus", str(corpus), "--cache-dir", str(tmp_path / "cache"), "--out", str(tmp_path / "out")]
    with pytest.raises(ConfigError, match="more than 16 songs in the split `dev`"):
        main(arguments)
    monkeypatch.setattr(defences, "_N_OWNED", (1,))
    with pytest.raises(ConfigError, match="a song of at least 24 fingerprints"):
        main(arguments)
    with pytest.raises(ConfigError, match="queries must be positive"):
        main([*arguments, "--queries", "0"])
