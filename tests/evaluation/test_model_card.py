import json
import shutil

import pytest

from evaluation.model_card import CARD_NAME, METRICS_NAME, render_card, write_card
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER, builtin_model_dir
from nowplaying_core.errors import CorruptArtifactError

MODELS = sorted(path.parent.name for path in builtin_model_dir(SHIPPED_FINGERPRINTER).parent.glob("*/manifest.json"))


@pytest.mark.parametrize("name", MODELS)
def test_shipped_card_is_what_its_numbers_say(name):
    folder = builtin_model_dir(name)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    metrics = json.loads((folder / METRICS_NAME).read_text(encoding="utf-8"))
    assert (folder / CARD_NAME).read_text(encoding="utf-8") == render_card(manifest, metrics)


@pytest.mark.parametrize("name", MODELS)
def test_card_names_every_file_and_the_training_licences(name):
    folder = builtin_model_dir(name)
    card = (folder / CARD_NAME).read_text(encoding="utf-8")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for file, record in manifest["files"].items():
        assert f"`{file}`" in card
        assert record["sha256"][:16] in card
    for data in manifest["training"]["data"].values():
        for licence in data["licences"]:
            assert licence in card


def test_a_model_without_metrics_gets_no_card(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(builtin_model_dir(SHIPPED_FINGERPRINTER), folder)
    (folder / METRICS_NAME).unlink(missing_ok=True)
    with pytest.raises(CorruptArtifactError, match=r"metrics\.json"):
        write_card(folder)


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        (SHIPPED_FINGERPRINTER, ("embedding_space",), "another"),
        (SHIPPED_DETECTOR, ("files", "detector.tflite", "sha256"), "0" * 64),
        (SHIPPED_DETECTOR, ("files", "second_stage.tflite", "sha256"), "0" * 64),
        (SHIPPED_DETECTOR, ("cascade", "wanted_above"), 128),
        (SHIPPED_DETECTOR, ("gate", "window"), 9),
    ],
)
def test_a_model_gets_no_card_of_anothers_metrics(tmp_path, name, path, value):
    folder = tmp_path / "model"
    folder.mkdir()
    for file in ("manifest.json", METRICS_NAME):
        shutil.copy(builtin_model_dir(name) / file, folder)
    assert write_card(folder).read_text() == (builtin_model_dir(name) / CARD_NAME).read_text()
    manifest = json.loads((folder / "manifest.json").read_text())
    *tables, last = path
    table = manifest
    for one in tables:
        table = table[one]
    table[last] = value
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CorruptArtifactError, match="expected metrics of these graphs and this gate"):
        write_card(folder)
