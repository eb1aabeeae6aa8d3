"""A model folder as a phone gets it: each graph says inside what it is, and the manifest has the new hashes."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import Any, Final

from detector.second_stage import SECOND_STAGE_FILE
from detector.stream import MODEL_FILE
from export.metadata import IDENTITY, STANDARD, TensorText, standard, with_metadata
from fingerprinter.overhang import OVERHANG_ENTRIES
from nowplaying_core.artifacts import canonical_json, file_record, write_json
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["CARD", "copy_with_metadata", "identity_of"]

CARD: Final = "MODEL_CARD.md"

_STEPS: Final = ("reference_hop_s", "query_hop_s", *OVERHANG_ENTRIES)
_SETTINGS: Final = {
    "detector": ("frontend", "gate", "cascade"),
    "fingerprinter": ("precision", "embedding_space", "front_end", *_STEPS),
}
_SUMMARY: Final = {
    "detector.tflite": "Music or not: fixed-point features every 10 ms in, the probability of music out.",
    SECOND_STAGE_FILE: "Confirms the detector: its features of 4.48 s in, the probability of music out.",
    "frontend.tflite": "Log-mel front end of the fingerprinter: a window of sound in, an image of it out.",
    "encoder.tflite": "Fingerprints music: a log-mel image in, a vector out that is to be scaled to unit length.",
}
_TENSORS: Final = {
    "detector.tflite": (
        TensorText("frames", "TFLM micro front end, int8 by $rule", ("1", "frame", "1", "channel")),
        TensorText("probability", "Of music in the 4.48 s before", ("1", "1", "1", "1")),
    ),
    SECOND_STAGE_FILE: (
        TensorText("frames", "Of detector.tflite, oldest first", ("1", "frame", "channel", "1")),
        TensorText("probability", "Of music in the 4.48 s before", ("1", "1")),
    ),
    "frontend.tflite": (
        TensorText("samples", "Mono sound in [-1, 1]", ("1", "sample")),
        TensorText("log_mel", "Normalised log-mel image", ("1", "mel", "frame", "1")),
    ),
    "encoder.tflite": (
        TensorText("log_mel", "Normalised log-mel image", ("1", "mel", "frame", "1")),
        TensorText("fingerprint", "Scale it to unit length", ("1", "dimension")),
    ),
}


def identity_of(manifest: Mapping[str, Any], file: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a graph's own metadata says: whose it is, and what is needed to use it alone.

    Parameters
    ----------
    manifest : mapping
        Of its model.
    file : str
    record : mapping
        ``sha256`` and ``bytes`` of the graph without metadata.
    """
    names = ("role", "name", "version", "licence", *_SETTINGS[manifest["role"]])
    return {
        "kind": "graph",
        "schema_version": 1,
        "file": file,
        "graph_sha256": record["sha256"],
        "graph_bytes": record["bytes"],
        **{name: manifest[name] for name in names if name in manifest},
    }


def copy_with_metadata(model: ModelFolder, target: Path, *, leave_out: Sequence[str] = ()) -> ModelFolder:
    """Copy a model with metadata inside its graphs, and open the copy: what is shipped is what was checked.

    Parameters
    ----------
    model : ModelFolder
    target : Path
        Made here.
    leave_out : sequence of str
        Entries of the manifest, with the files whose names begin with one: the codebook, which every database has.
    """
    target.mkdir(parents=True)
    manifest = {name: value for name, value in model.manifest.items() if name not in leave_out}
    manifest["files"] = {}
    for name, record in model.manifest["files"].items():
        if name.startswith(tuple(leave_out)):
            continue
        if name in _TENSORS:
            (target / name).write_bytes(_described_graph(model, name))
            own = {"graph_sha256": record["sha256"], "graph_bytes": record["bytes"]}
            manifest["files"][name] = {**file_record(target / name), **own}
        else:
            shutil.copyfile(model.file(name), target / name)
            manifest["files"][name] = dict(record)
    write_json(target / "manifest.json", manifest)
    if (card := model.path / CARD).is_file():
        shutil.copyfile(card, target / CARD)
    return ModelFolder.open(target, role=manifest["role"])


def _described_graph(model: ModelFolder, name: str) -> bytes:
    graph, opened = model.file(name).read_bytes(), TfliteModel(model.file(name))
    record = {"sha256": hashlib.sha256(graph).hexdigest(), "bytes": len(graph)}
    identity = identity_of(model.manifest, name, record)
    taken, given = _TENSORS[name]
    if name == MODEL_FILE:
        rule = model.manifest["frontend"]["quantization"]["rule"]
        taken = replace(taken, description=Template(taken.description).substitute(rule=rule))
    states = [
        TensorText(f"state_{number}", "Of the step before; -128 at first", ("1", "frame", "1", "channel"))
        for number in range(len(opened.inputs) - 1)
    ]
    joined = [
        TensorText(f"joined_{number}", "Its last frames are the new state", ("1", "frame", "1", "channel"))
        for number in range(len(states))
    ]
    inputs, outputs = [taken, *states], [given, *joined]
    text = standard(identity, description=_SUMMARY[name], inputs=inputs, outputs=outputs)
    entries = {STANDARD: text, IDENTITY: canonical_json(identity).encode()}
    # A converter has named the others' tensors.
    names = ([one.name for one in inputs], [one.name for one in outputs]) if name == MODEL_FILE else None
    return with_metadata(graph, entries, names=names)
