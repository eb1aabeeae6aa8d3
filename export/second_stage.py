"""From a finished training run of the detector's second stage to its int8 graph and float weights."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.training.second_stage import SecondStageConfig, inference_model
from detector.training.second_stage_fit import CALIBRATION_FILE, SECOND_STAGE_WEIGHTS_FILE
from export.minify import write_flatbuffer
from export.operators import open_graph
from export.tflite import to_int8
from nowplaying_core.errors import MissingPathError

__all__ = ["second_stage_graph"]


def second_stage_graph(
    run_dir: Path, *, description: str = ""
) -> tuple[bytes, dict[str, NDArray[np.float32]], SecondStageConfig]:
    """Return the int8 graph of a finished run, its folded float weights, and its settings.

    The graph's input takes the features' int8 steps as they are (scale 1/128, zero point -128), its output is
    256 P(music) - 128. Activations' ranges come from the run's calibration windows, silence and full scale included.

    Parameters
    ----------
    run_dir : Path
        Of ``nowplaying train detector-second-stage``.
    description : str
        Kept in the graph, so that it can be identified alone.

    Raises
    ------
    MissingPathError
        When the run is not finished.
    """
    config_path = run_dir / "config.json"
    paths = (config_path, run_dir / SECOND_STAGE_WEIGHTS_FILE, run_dir / CALIBRATION_FILE)
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
    model, _ = open_graph(graph)
    return write_flatbuffer(model, description=description), arrays, config


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
