"""The utterances of a corpus: places in its speech recordings with a word and a speaker."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from nowplaying_core.audio.corpus import read_corpus
from nowplaying_core.errors import AudioFormatError

__all__ = ["Utterance", "has_utterances", "read_utterances"]

_COLUMNS = ("file", "start_s", "end_s", "label", "speaker")
_TABLE = "speech_segments.tsv"


@dataclass(frozen=True, kw_only=True, slots=True)
class Utterance:
    """A spoken word.

    Attributes
    ----------
    path : Path
        Recording that it is in.
    split : str or None
        Of the recording.
    source : str
        Of the recording.
    start_s, end_s : float, seconds
    label : str
        The word.
    speaker : str
        Empty when not known.
    """

    path: Path
    split: str | None
    source: str
    start_s: float
    end_s: float
    label: str
    speaker: str


def has_utterances(corpus: Path) -> bool:
    """Tell whether a corpus tells where words are."""
    return (corpus / _TABLE).is_file()


def read_utterances(corpus: Path) -> list[Utterance]:
    """Read ``speech_segments.tsv`` of a corpus, in its order.

    Raises
    ------
    AudioFormatError
        When a column is missing, a row has no times, or its file is not in ``speech.tsv``; names the line.
    """
    recordings = {file.path: file for file in read_corpus(corpus, "speech")}
    table = corpus / _TABLE
    with table.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
        if not set(_COLUMNS) <= set(reader.fieldnames or ()):
            message = f"{table}: expected tab-separated columns {', '.join(_COLUMNS)}, found {reader.fieldnames}"
            raise AudioFormatError(message)
        found = []
        for row in reader:
            recording = recordings.get(corpus / "speech" / (row["file"] or ""))
            where = f"{table}, line {reader.line_num}"
            if recording is None:
                message = f"{where}: expected a file of speech.tsv, found {row['file']!r}"
                raise AudioFormatError(message)
            try:
                start_s, end_s = float(row["start_s"]), float(row["end_s"])
            except (TypeError, ValueError) as error:
                message = f"{where}: expected start_s and end_s in seconds ({error})"
                raise AudioFormatError(message) from error
            if not 0 <= start_s < end_s < math.inf:
                message = f"{where}: expected 0 <= start_s < end_s, found {start_s:g} and {end_s:g}"
                raise AudioFormatError(message)
            found.append(
                Utterance(
                    path=recording.path,
                    split=recording.split,
                    source=recording.source,
                    start_s=start_s,
                    end_s=end_s,
                    label=(row["label"] or "").strip(),
                    speaker=(row["speaker"] or "").strip(),
                )
            )
    return found
