"""The API page is what the docstrings say, and has every public name."""

import nowplaying
from nowplaying.api.reference import PAGE, main, page


def test_the_page_is_what_the_docstrings_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m nowplaying.api.reference --write"
    assert main(["--check"]) == 0


def test_every_public_name_is_on_the_page() -> None:
    text = page()
    for name in set(nowplaying.__all__) - {"__version__"}:
        assert f"### {name}\n" in text or f"| `{name}` |" in text, name
