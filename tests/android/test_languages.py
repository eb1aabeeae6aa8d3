"""Every language of the app has every text, with the same places for values."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

_RES = Path(__file__).parents[2] / "android_demo" / "app" / "src" / "main" / "res"
_LANGUAGES = ["de", "es", "hi", "ar"]
_SOUND = {"values": "sound", "values-de": "Ton", "values-es": "sonido", "values-hi": "ध्वनि", "values-ar": "الصوت"}


def _texts(folder: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in ElementTree.parse(_RES / folder / "strings.xml").getroot():  # noqa: S314 -- our own file
        if entry.get("translatable") == "false":
            continue
        name = f"{entry.tag} {entry.get('name')}"
        found[name] = [entry.text or ""] if entry.tag == "string" else [item.text or "" for item in entry]
    return found


def _places(text: str) -> list[str]:
    return sorted(re.findall(r"%(?:\d\$)?[sd]", text))


@pytest.mark.parametrize("language", _LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    english, other = _texts("values"), _texts(f"values-{language}")
    assert other.keys() == english.keys()
    for name, texts in english.items():
        assert all(other[name]), name
        if name.startswith("string "):
            assert _places(other[name][0]) == _places(texts[0]), name
        elif name.startswith("string-array "):
            assert len(other[name]) == len(texts), name


@pytest.mark.parametrize("folder", _SOUND)
def test_what_is_never_stored_is_sound(folder: str) -> None:
    texts = _texts(folder)
    # Recognized songs are stored.
    for name in ("listening_help", "notification_listening"):
        assert _SOUND[folder] in texts[f"string {name}"][0], name


def test_the_languages_are_those_that_can_be_chosen() -> None:
    listed = (_RES / "xml" / "locales.xml").read_text()
    assert re.findall(r'android:name="(\w+)"', listed) == ["en", *_LANGUAGES]
