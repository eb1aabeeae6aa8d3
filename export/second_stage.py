"""The detector's second stage as it is published: from a finished training run, or kept from a model folder."""

from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from detector.second_stage import SECOND_STAGE_FILE
from detector.training.second_stage import SecondStageConfig, inference_model
from detector.training.second_stage_fit import CALIBRATION_FILE, SECOND_STAGE_WEIGHTS_FILE
from export.logit_convolution import logit_as_convolution
from export.minify import write_flatbuffer
from export.operators import open_graph
from export.tflite import to_int8
from nowplaying_core.artifacts import check_file
from nowplaying_core.errors import MissingPathError
from nowplaying_core.manifest import ModelFolder

__all__ = ["SecondStageModel", "float_second_stage", "second_stage_graph"]


class SecondStageModel(NamedTuple):
    """A second stage as it is published.

    Attributes
    ----------
    graph : bytes
        int8; its input takes the features' steps as they are (scale 1/128, zero point -128), and its output is
        256 P(music) - 128.
    weights : dict of str to ndarray of float32
        Folded.
    config : SecondStageConfig
    note : str
        What is said of its training beside the settings.
    """

    graph: bytes
    weights: dict[str, NDArray[np.float32]]
    config: SecondStageConfig
    note: str = ""


def second_stage_graph(source: Path, *, description: str = "") -> SecondStageModel:
    """Return the second stage of a finished run, or that of a model folder.

    Activations' ranges come from the run's calibration windows, silence and full scale included; a model folder's
    graph keeps its own. The last layer is a convolution, see :func:`export.logit_convolution.logit_as_convolution`.

    Parameters
    ----------
    source : Path
        Of ``nowplaying train detector-second-stage``, or a model folder of two stages.
    description : str
        Kept in the graph, so that it can be identified alone.

    Raises
    ------
    MissingPathError
        When the run is not finished, or the model folder has one stage.
    """
    if (source / "manifest.json").is_file():
        return _kept(ModelFolder.open(source, role="detector"), description)
    config_path = source / "config.json"
    paths = (config_path, source / SECOND_STAGE_WEIGHTS_FILE, source / CALIBRATION_FILE)
    for path in paths:
        if not path.is_file():
            message = (
                f"{path}: expected the files of a finished run; let nowplaying train detector-second-stage end first"
            )
            raise MissingPathError(message)
    config = SecondStageConfig.from_json(config_path)
    arrays, calibration = (_arrays(path) for path in paths[1:])
    windows = (calibration["windows"].astype(np.float32)[..., None] + np.float32(128)) / np.float32(128)
    graph = to_int8(inference_model(config.network, arrays), windows, output="int8")
    return SecondStageModel(_finished(graph, description), arrays, config)


def float_second_stage(folder: ModelFolder) -> keras.Model:
    """Return the float network of a model folder of two stages, as :func:`inference_model` has it."""
    kept = _kept(folder, "")
    return inference_model(kept.config.network, kept.weights)


def _kept(folder: ModelFolder, description: str) -> SecondStageModel:
    cascade = folder.manifest.get("cascade")
    if cascade is None:
        message = f"{folder.path}: expected a detector of two stages or a finished run, found one stage"
        raise MissingPathError(message)
    check_file(folder.path / SECOND_STAGE_WEIGHTS_FILE, cascade["float_weights"])
    return SecondStageModel(
        _finished(folder.file(SECOND_STAGE_FILE).read_bytes(), description),
        _arrays(folder.path / SECOND_STAGE_WEIGHTS_FILE),
        SecondStageConfig.from_dict(cascade["training"]),
        cascade.get("note", ""),
    )


def _finished(graph: bytes, description: str) -> bytes:
    model, _ = open_graph(graph)
    logit_as_convolution(model)
    return write_flatbuffer(model, description=description)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
