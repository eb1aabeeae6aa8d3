"""From a finished training run to the detector's model folder: graph, float weights, manifest."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from detector.features import frontend_settings
from detector.gate import GateConfig
from detector.network import DECISION_S, WINDOW_S
from detector.second_stage import SECOND_STAGE_FILE
from detector.stream import MODEL_FILE
from detector.training.config import DetectorConfig
from detector.training.second_stage_fit import SECOND_STAGE_WEIGHTS_FILE
from detector.training.weights import load_weights, save_weights
from export.cost import detector_cost
from export.macs import count_macs
from export.manifest import write_manifest
from export.second_stage import second_stage_graph
from export.stream_graph import streaming_graph
from nowplaying_core.artifacts import SHIPPED_DETECTOR, file_record, write_arrays, write_bytes
from nowplaying_core.errors import MissingPathError

__all__ = ["WEIGHTS_FILE", "export_detector"]

WEIGHTS_FILE = "weights.npz"
_WANTED_ABOVE: Final = 128


def export_detector(
    run_dir: Path,
    output: Path,
    *,
    name: str = SHIPPED_DETECTOR,
    version: str = "1.0.0",
    gate: GateConfig | None = None,
    training: Mapping[str, Any] | None = None,
    second_run: Path | None = None,
    wanted_above: int | None = None,
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
    second_run : Path or None
        Of ``nowplaying train detector-second-stage``, for a cascade.
    wanted_above : int or None
        The first stage's output in 256ths from which on the second is run; by default that of the manifest that is
        there, else 128.

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
    second = None if second_run is None else second_stage_graph(second_run, description=f"nowplaying {name} {version}")
    present = _present(output)
    output.mkdir(parents=True, exist_ok=True)
    write_bytes(
        output / MODEL_FILE, streaming_graph(config.network, weights, description=f"nowplaying {name} {version}")
    )
    save_weights(output / WEIGHTS_FILE, weights)
    files, entries = {MODEL_FILE: file_record(output / MODEL_FILE)}, dict[str, Any]()
    if second is not None:
        graph, arrays, second_config = second
        write_bytes(output / SECOND_STAGE_FILE, graph)
        write_arrays(output / SECOND_STAGE_WEIGHTS_FILE, arrays)
        files[SECOND_STAGE_FILE] = file_record(output / SECOND_STAGE_FILE)
        if wanted_above is None:
            wanted_above = (present.get("cascade") or {}).get("wanted_above", _WANTED_ABOVE)
        entries["cascade"] = {
            "file": SECOND_STAGE_FILE,
            "wanted_above": wanted_above,
            "float_weights": {
                "file": SECOND_STAGE_WEIGHTS_FILE,
                **file_record(output / SECOND_STAGE_WEIGHTS_FILE),
            },
            "n_parameters": sum(array.size for array in arrays.values()),
            "n_macs": count_macs(graph),
            "model_bytes": len(graph),
            "training": second_config.to_dict(),
        }
    return write_manifest(
        output,
        files,
        role="detector",
        name=name,
        version=version,
        float_weights={"file": WEIGHTS_FILE, **file_record(output / WEIGHTS_FILE)},
        frontend=frontend_settings(),
        network={**config.to_dict()["network"], "window_s": WINDOW_S, "decision_interval_s": DECISION_S},
        cost=detector_cost(output / MODEL_FILE),
        gate=(gate or _gate_of(present) or GateConfig()).to_dict(),
        training={"config": config.to_dict(), "config_sha256": config.digest(), **(training or {})},
        **entries,
    )


def _present(output: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _gate_of(manifest: Mapping[str, Any]) -> GateConfig | None:
    try:
        return GateConfig.from_dict(manifest["gate"])
    except (ValueError, KeyError, TypeError):
        return None
