"""From a finished training run to the detector's model folder: graph, float weights, manifest."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from detector.features import frontend_settings
from detector.gate import STEPS, GateConfig
from detector.network import DECISION_S, WINDOW_S
from detector.second_stage import SECOND_STAGE_FILE
from detector.stream import MODEL_FILE
from detector.training.config import DetectorConfig
from detector.training.second_stage_fit import SECOND_STAGE_WEIGHTS_FILE
from detector.training.weights import FoldedWeights, load_weights, save_weights
from export.cost import detector_cost, second_stage_cost
from export.manifest import write_manifest
from export.second_stage import second_stage_graph
from export.stream_graph import streaming_graph
from nowplaying_core.artifacts import SHIPPED_DETECTOR, check_file, file_record, write_arrays, write_bytes
from nowplaying_core.errors import ConfigError, MissingPathError
from nowplaying_core.manifest import ModelFolder

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
    second_note: str = "",
) -> Path:
    """Write a model folder that :class:`detector.stream.StreamingDetector` opens.

    Parameters
    ----------
    run_dir : Path
        Of ``nowplaying train detector``, or a model folder, whose first stage and its training are kept.
    output : Path
        Model folder; made when missing, and perhaps the same.
    name, version : str
    gate : GateConfig or None
        Gate parameters for the manifest; by default those of the manifest that is there, else the class's defaults.
    training : mapping or None
        What the manifest says of data and licences.
    second_run : Path or None
        Of ``nowplaying train detector-second-stage``, or a model folder, whose second stage is kept; None: one stage.
    wanted_above : int or None
        The first stage's output in 256ths from which on the second is run; by default that of the manifest that is
        there, else 128.
    second_note : str
        What the manifest says of the second stage's training beside its settings; a kept one keeps its own.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ConfigError
        When a run is not finished, ``wanted_above`` is out of its range or has no second stage, or the gate of the
        manifest that is there was chosen for two stages and one is given.
    """
    if wanted_above is not None and (second_run is None or not 0 <= wanted_above <= STEPS):
        message = f"wanted_above: expected a second stage and a number from 0 to {STEPS}, found {wanted_above}"
        raise ConfigError(message)
    first, present, description = _first_stage(run_dir), _present(output), f"nowplaying {name} {version}"
    if gate is None and second_run is None and present.get("cascade"):
        message = (
            f"{output}: its gate was chosen for two stages, found one to write; give a gate that was chosen for one "
            "(--gate), or the second stage (--second-run)"
        )
        raise ConfigError(message)
    second = None if second_run is None else second_stage_graph(second_run, description=description)
    output.mkdir(parents=True, exist_ok=True)
    write_bytes(output / MODEL_FILE, streaming_graph(first.config.network, first.weights, description=description))
    save_weights(output / WEIGHTS_FILE, first.weights)
    files, entries = {MODEL_FILE: file_record(output / MODEL_FILE)}, dict[str, Any]()
    if second is not None:
        write_bytes(output / SECOND_STAGE_FILE, second.graph)
        write_arrays(output / SECOND_STAGE_WEIGHTS_FILE, second.weights)
        files[SECOND_STAGE_FILE] = file_record(output / SECOND_STAGE_FILE)
        if wanted_above is None:
            wanted_above = (present.get("cascade") or {}).get("wanted_above", _WANTED_ABOVE)
        note = second_note or second.note
        entries["cascade"] = {
            "file": SECOND_STAGE_FILE,
            "wanted_above": wanted_above,
            "float_weights": {
                "file": SECOND_STAGE_WEIGHTS_FILE,
                **file_record(output / SECOND_STAGE_WEIGHTS_FILE),
            },
            "n_parameters": sum(array.size for array in second.weights.values()),
            **second_stage_cost(output / SECOND_STAGE_FILE),
            "training": second.config.to_dict(),
            **({"note": note} if note else {}),
        }
    written = write_manifest(
        output,
        files,
        role="detector",
        name=name,
        version=version,
        float_weights={"file": WEIGHTS_FILE, **file_record(output / WEIGHTS_FILE)},
        frontend=frontend_settings(),
        network={**first.config.to_dict()["network"], "window_s": WINDOW_S, "decision_interval_s": DECISION_S},
        cost=detector_cost(output / MODEL_FILE),
        gate=(gate or _gate_of(present) or GateConfig()).to_dict(),
        training={
            **first.training,
            "config": first.config.to_dict(),
            "config_sha256": first.config.digest(),
            **(training or {}),
        },
        **entries,
    )
    if second is None:
        for left in (SECOND_STAGE_FILE, SECOND_STAGE_WEIGHTS_FILE):
            (output / left).unlink(missing_ok=True)
    return written


class _FirstStage(NamedTuple):
    config: DetectorConfig
    weights: FoldedWeights
    training: Mapping[str, Any]


def _first_stage(source: Path) -> _FirstStage:
    """Return the first stage of a finished run, or that of a model folder with what it says of its training."""
    if (source / "manifest.json").is_file():
        folder = ModelFolder.open(source, role="detector")
        check_file(folder.path / WEIGHTS_FILE, folder.manifest["float_weights"])
        training = folder.manifest["training"]
        config = DetectorConfig.from_dict(training["config"])
        return _FirstStage(config, load_weights(folder.path / WEIGHTS_FILE), training)
    weights_path, config_path = source / WEIGHTS_FILE, source / "config.json"
    for path in (weights_path, config_path):
        if not path.is_file():
            message = f"{path}: expected the files of a finished run; let nowplaying train detector end first"
            raise MissingPathError(message)
    return _FirstStage(DetectorConfig.from_json(config_path), load_weights(weights_path), {})


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
