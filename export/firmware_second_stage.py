"""What the C templates of the detector's second stage name: its graph, its tables, and golden outputs."""

import hashlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.network import StreamingNetwork
from detector.second_stage import SECOND_STAGE_FILE, SecondStage
from detector.stream import MODEL_FILE
from export.cost import firmware_arena_bytes
from export.operators import list_operators, operator_values
from export.second_stage_network import second_stage_tables
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["SECOND_STAGE_TEMPLATES", "second_stage_values"]

SECOND_STAGE_TEMPLATES: Final = "detector_second_stage*"
"""Templates that a detector of one stage does without."""

_ARENA_BYTES: Final = 192 * 1024


def second_stage_values(folder: ModelFolder, frames: NDArray[np.int8]) -> dict[str, Any]:
    """Return the values of the templates, or nothing for a detector of one stage.

    Parameters
    ----------
    folder : ModelFolder
        Of a detector.
    frames : ndarray of int8, shape (n, 40)
        Of the golden sound.

    Returns
    -------
    dict
        Text and numbers; ``golden_second_stage`` and ``golden_cascade`` are arrays of outputs in [0, 255].

    Raises
    ------
    CorruptArtifactError
        When the graph has a form that the C code does not run.
    ManifestMismatchError
        When the graph's tensors are others, or the manifest's threshold is not valid.
    """
    cascade = folder.manifest.get("cascade")
    if cascade is None:
        return {}
    path = folder.file(SECOND_STAGE_FILE)
    graph, model = path.read_bytes(), TfliteModel(path, reference_kernels=True)
    first = StreamingNetwork(TfliteModel(folder.file(MODEL_FILE), reference_kernels=True)).process(frames)
    both = {
        name: SecondStage(model, wanted) for name, wanted in (("second_stage", 0), ("cascade", cascade["wanted_above"]))
    }
    outputs = {name: [output for _, output in stage.process(frames, first)] for name, stage in both.items()}
    return {
        "second_sha256": hashlib.sha256(graph).hexdigest(),
        "second_model_bytes": len(graph),
        "second_arena_bytes": firmware_arena_bytes(graph, _ARENA_BYTES),
        **operator_values(list_operators(graph, where=str(path)), prefix="second_"),
        "second_model_array": np.frombuffer(graph, dtype=np.uint8),
        "wanted_above": cascade["wanted_above"],
        **second_stage_tables(graph),
        **{f"golden_{name}": np.array(values) for name, values in outputs.items()},
    }
