"""The page's table names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_case_of_the_page_has_its_test() -> None:
    page = (ROOT / "docs" / "robustness.md").read_text(encoding="utf-8")
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py")))
    names = set(re.findall(r"`(?:[\w/.]*::)?(test_\w+)`", page))
    assert len(names) >= 60  # the page is read as it should be
    assert sorted(name for name in names if f"def {name}(" not in code) == []
    assert sorted(path for path in set(re.findall(r"`(tests/[\w/]+\.py)", page)) if not (ROOT / path).is_file()) == []
