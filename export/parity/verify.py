"""``nowplaying export verify``: everything that was exported against everything that was evaluated."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from export.parity.detector import verify_detector, verify_dsp
from export.parity.fingerprinter import verify_fingerprinter
from export.parity.report import ParityReport
from export.parity.second_stage import verify_second_stage
from export.parity.sounds import load_sounds
from export.parity.subject import evaluated_model, open_subject
from nowplaying_core.manifest import ModelFolder

__all__ = ["verify_export"]

MAX_RECORDINGS: Final = 24
_log = logging.getLogger(__name__)


def verify_export(
    source: str | Path,
    *,
    music: Sequence[Path],
    other: Sequence[Path],
    weights: Sequence[Path] = (),
    max_items: int = MAX_RECORDINGS,
) -> ParityReport:
    """Compare exported graphs with the models that they come from; the report says what is out of tolerance.

    Parameters
    ----------
    source : str or Path
        Folder that ``nowplaying export`` wrote, ``phone`` or ``dsp`` in it, a model folder, or a shipped name.
    music, other : sequence of Path
        Recordings: songs, and noise or speech.
    weights : sequence of Path
        Model folders with float weights, beside the shipped ones.
    max_items : int
        Largest number of recordings of each kind.

    Raises
    ------
    ArtifactError
        When a file is damaged or is not what its manifest says.
    AudioFormatError
        When there are no recordings, or one cannot be read.
    """
    subject = open_subject(source)
    report = ParityReport(subject.name)
    sounds = load_sounds(music, other, max_items=max_items)
    _log.info("comparing on %d pieces of music and %d other sounds", len(sounds.music), len(sounds.other))
    for path in subject.databases:
        from ondevice_db.store.store import SongDatabase

        SongDatabase.open(path, subject.fingerprinter.manifest["embedding_space"] if subject.fingerprinter else None)
    models = [model for model in (subject.detector, subject.fingerprinter) if model is not None]
    sources = {id(model): evaluated_model(model, weights) for model in models}
    changed = [name for model in models if (known := sources[id(model)]) for name in _changed(model, known)]
    if any(sources.values()):
        report.add("changed graphs", len(changed), ", ".join(changed) or f"{len(models)} models")
    if subject.detector is not None:
        _log.info("verifying the detector")
        known = sources[id(subject.detector)]
        verify_detector(subject.detector, known, sounds, report)
        if "cascade" in subject.detector.manifest:
            verify_second_stage(subject.detector, known, sounds, report)
    if subject.fingerprinter is not None:
        _log.info("verifying the fingerprinter")
        known = sources[id(subject.fingerprinter)]
        verify_fingerprinter(subject.fingerprinter, known, sounds, report, half=subject.half)
    if subject.dsp is not None:
        _log.info("verifying the C sources")
        verify_dsp(subject.dsp, subject.detector, sounds, report)
    return report


def _changed(model: ModelFolder, evaluated: ModelFolder) -> list[str]:
    """Return the graphs that are not those of the evaluated model."""

    def digest(folder: ModelFolder, name: str) -> str | None:
        record = folder.manifest["files"].get(name, {})
        found: str | None = record.get("graph_sha256", record.get("sha256"))
        return found

    graphs = [name for name in model.manifest["files"] if name.endswith(".tflite")]
    return [name for name in graphs if digest(model, name) != digest(evaluated, name)]
