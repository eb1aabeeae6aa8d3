"""The tables of docs/privacy.md, from privacy.json: the published file of ``nowplaying audit privacy --out FOLDER``."""

import json
from pathlib import Path
from typing import Any, Final

from pretraining.audit.report import errors_table, words_table

RESULTS: Final = Path(__file__).with_name("privacy.json")


def music_table() -> str:
    """Return the table of what is rebuilt of music."""
    return errors_table([row for row in _result()["windows"] if row["sound"] == "music"])


def committed_words_table() -> str:
    """Return the table of the words that are recognized."""
    return words_table(_result()["words"])


def _result() -> dict[str, Any]:
    result: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return result
