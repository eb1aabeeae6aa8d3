"""Every generated figure in a page is what its generator says now."""

from pathlib import Path

import pytest

from evaluation.pages import BLOCKS, ROOT, fill, main, pages
from nowplaying_core.errors import ConfigError


def test_every_page_is_what_its_generators_say() -> None:
    found = dict(pages())
    tables = (
        "encoder-table",
        "encoder-table-500",
        "decoders",
        "decoders-2000",
        "federated-table",
        "federated-200",
        "from-encoder",
        "discrete",
    )
    names = ("curve", "ablations", "privacy", *(f"pretraining/{name}" for name in tables))
    expected = {"README.md", *(f"docs/{name}.md" for name in names)}
    assert expected <= {path.relative_to(ROOT).as_posix() for path in found}
    for path, text in found.items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run python -m evaluation.pages --write"


def test_every_block_stands_in_some_page() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path, _ in pages())
    assert [name for name in BLOCKS if f"<!-- generated: {name} -->" not in text] == []


def test_only_marked_parts_change() -> None:
    page = (
        "before\n\n<!-- generated: a -->\nold | 1 |\n<!-- end -->\n\nbetween\n\n<!-- generated: b -->\n<!-- end -->\n"
    )
    filled = fill(page, {"a": lambda: "new\n\n| 2 |\n", "b": lambda: "\\1"})
    assert filled == (
        "before\n\n<!-- generated: a -->\nnew\n\n| 2 |\n<!-- end -->\n\nbetween\n\n"
        "<!-- generated: b -->\n\\1\n<!-- end -->\n"
    )
    assert fill(filled, {"a": lambda: "new\n\n| 2 |\n", "b": lambda: "\\1"}) == filled


def test_a_block_without_a_generator_is_refused() -> None:
    with pytest.raises(ConfigError, match="generated: c: expected one of a"):
        fill("<!-- generated: c -->\n<!-- end -->\n", {"a": str})


def test_check_names_a_stale_page_and_write_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("17 %", encoding="utf-8")
    monkeypatch.setattr("evaluation.pages.ROOT", tmp_path)
    monkeypatch.setattr("evaluation.pages.pages", lambda: iter([(page, "18 %")]))
    assert main(["--check"]) == 1
    assert "differs: page.md" in capsys.readouterr().out
    assert page.read_text(encoding="utf-8") == "17 %"
    assert main(["--write"]) == 0
    assert page.read_text(encoding="utf-8") == "18 %"
    assert main(["--check"]) == 0
