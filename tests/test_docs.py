"""Pages point at files that exist, and use the terms of the glossary."""

import re
import subprocess
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

# Words that this project once had for itself (docs/glossary.md has the terms), but not the method Barlow Twins.
PRIVATE = re.compile(
    r"\b(ear|ears|heard|told|twin|(?<!Barlow )twins|strewn|drawn songs|further recordings)\b", re.IGNORECASE
)


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


def test_no_private_vocabulary() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    # Models quote the licence notes of recordings as their sources state them; the changelog names what was renamed.
    quoting = ("CHANGELOG.md", "docs/glossary.md", "models/", "tests/test_docs.py")
    texts = {".c", ".cc", ".h", ".java", ".js", ".kt", ".md", ".py", ".sh", ".toml", ".xml", ".yml", ""}
    found, n_read = [], 0
    for name in listed.split("\0"):
        path = ROOT / name
        if name and not name.startswith(quoting) and path.suffix in texts and path.is_file():
            n_read += 1
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            found += [f"{name}:{number}: {line}" for number, line in enumerate(lines, 1) if PRIVATE.search(line)]
    assert n_read > 500, "not a git checkout of the whole project"
    assert found == []


def test_the_private_words_are_found() -> None:
    assert PRIVATE.search("what was Heard")
    assert not PRIVATE.search("Barlow Twins at hearing heard_at")


def test_the_site_lists_pages_that_exist_once_each() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^ +- (?:[\w ]+: )?([\w./-]+\.md)$", text, re.MULTILINE)
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert len(listed) > 30
    assert len(listed) == len(set(listed))
    assert set(listed) <= pages  # a page that is not listed is found by search and by links


def test_links_of_the_site_stay_in_docs() -> None:
    docs = ROOT / "docs"
    pages = sorted(docs.rglob("*.md"))
    targets = [(page, link) for page in pages for link in LINK.findall(page.read_text(encoding="utf-8"))]
    assert len(targets) > 100
    assert [str(page) for page, link in targets if not (page.parent / link).resolve().is_relative_to(docs)] == []
