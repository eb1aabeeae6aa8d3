"""Pages point at files that exist, and use the terms of the glossary."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "models").rglob("*.md")])
FOLDERS = (
    "benchmarks|configs|detector|docs|evaluation|export|fingerprinter|models|nowplaying|nowplaying_core|ondevice_db|"
    "pretraining|simulator|tests"
)
# A path in backticks: folders and files with a suffix; `nowplaying/song/1` names a JSON schema.
PATH = re.compile(rf"`((?:{FOLDERS})/(?:[\w./-]*/|[\w./-]*\.\w+)?)`")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_and_links_of_a_page_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if page.name == "CHANGELOG.md":  # names what was there once
        text = ""
    missing = [name for name in PATH.findall(text) if not (ROOT / name).exists()]
    missing += [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    assert missing == []


def test_the_patterns_find_paths_and_links() -> None:
    assert PATH.findall("see `detector/gate.py`, not `runs/x`") == ["detector/gate.py"]
    assert LINK.findall("[a](b.md#c), [d](https://e.f)") == ["b.md"]
