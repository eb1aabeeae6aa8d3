"""From a finished training run to the detector's model folder: graph, float weights, manifest."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detector.features import frontend_settings
from detector.gate import GateConfig
from detector.network import DECISION_S, WINDOW_S
from detector.stream import MODEL_FILE
from detector.training.config import DetectorConfig
from detector.training.weights import load_weights, save_weights
from export.cost import detector_cost
from export.manifest import write_manifest
from export.stream_graph import streaming_graph
from nowplaying_core.artifacts import SHIPPED_DETECTOR, file_record, write_bytes
from nowplaying_core.errors import MissingPathError

__all__ = ["WEIGHTS_FILE", "export_detector"]

WEIGHTS_FILE = "weights.npz"


def export_detector(
    run_dir: Path,
    output: Path,
    *,
    name: str = SHIPPED_DETECTOR,
    version: str = "1.0.0",
    gate: GateConfig | None = None,
    training: Mapping[str, Any] | None = None,
) -> Path:
    """Write a model folder that :class:`detector.stream.StreamingDetector` opens.

    Parameters
    ----------
    run_dir : Path
        Of ``nowplaying train detector``.
    output : Path
        Model folder; made when missing.
    name, version : str
    gate : GateConfig or None
        Gate parameters for the manifest; by default those of the manifest that is there, else the class's defaults.
    training : mapping or None
        What the manifest says of data and licences.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ConfigError
        When the run is not finished.
    """
    weights_path, config_path = run_dir / WEIGHTS_FILE, run_dir / "config.json"
    for path in (weights_path, config_path):
        if not path.is_file():
            message = f"{path}: expected the files of a finished run; let nowplaying train detector end first"
            raise MissingPathError(message)
    config = DetectorConfig.from_json(config_path)
    weights = load_weights(weights_path)
    output.mkdir(parents=True, exist_ok=True)
    write_bytes(
        output / MODEL_FILE, streaming_graph(config.network, weights, description=f"nowplaying {name} {version}")
    )
    save_weights(output / WEIGHTS_FILE, weights)
    return write_manifest(
        output,
        {MODEL_FILE: file_record(output / MODEL_FILE)},
        role="detector",
        name=name,
        version=version,
        float_weights={"file": WEIGHTS_FILE, **file_record(output / WEIGHTS_FILE)},
        frontend=frontend_settings(),
        network={**config.to_dict()["network"], "window_s": WINDOW_S, "decision_interval_s": DECISION_S},
        cost=detector_cost(output / MODEL_FILE),
        gate=(gate or _present_gate(output) or GateConfig()).to_dict(),
        training={"config": config.to_dict(), "config_sha256": config.digest(), **(training or {})},
    )


def _present_gate(output: Path) -> GateConfig | None:
    try:
        return GateConfig.from_dict(json.loads((output / "manifest.json").read_text(encoding="utf-8"))["gate"])
    except (OSError, ValueError, KeyError):
        return None
