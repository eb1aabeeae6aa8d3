from pathlib import Path

from export.manifest import write_manifest
from nowplaying_core.artifacts import read_manifest


def test_a_card_that_is_there_goes_with_the_manifest_that_it_was_made_of(tmp_path: Path) -> None:
    (tmp_path / "MODEL_CARD.md").write_text("# of the model before", encoding="utf-8")
    write_manifest(tmp_path, {}, role="fingerprinter", name="new", version="1.0.0")
    assert read_manifest(tmp_path / "manifest.json", kind="model", schema_version=1)["name"] == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]
