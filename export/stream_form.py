"""A detector of whole windows rewritten with states, for a DSP: from its float weights, with equal decisions."""

import functools
from pathlib import Path

from detector.stream import MODEL_FILE
from detector.training.config import NetworkConfig
from detector.training.weights import load_weights
from export.stream_graph import streaming_graph
from nowplaying_core.artifacts import check_file, file_record, write_atomic, write_json
from nowplaying_core.errors import CorruptArtifactError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["as_stream", "network_of"]


def network_of(model: ModelFolder) -> NetworkConfig:
    """Return the shape of a detector's network, as its manifest has it.

    Raises
    ------
    CorruptArtifactError
        When it is not there.
    """
    fields = NetworkConfig.__dataclass_fields__
    try:
        return NetworkConfig(**{name: model.manifest["network"][name] for name in fields})
    except (KeyError, TypeError) as error:
        message = f"{model.path / 'manifest.json'}: expected the network's shape ({error!r}); export the model again"
        raise CorruptArtifactError(message) from error


def as_stream(model: ModelFolder, output: Path) -> ModelFolder:
    """Write a folder with the stream form of a detector of whole windows.

    Parameters
    ----------
    model : ModelFolder
        Beside whose graph lie the float weights that its manifest names.
    output : Path
        Made here.

    Raises
    ------
    CorruptArtifactError
        When the float weights are missing or damaged, as in an installed wheel, which does not have them.
    """
    record = model.manifest.get("float_weights", {"file": "weights.npz"})
    weights = model.path / Path(record["file"]).name
    check_file(weights, record)
    output.mkdir(parents=True)
    identity = f"nowplaying {model.manifest['name']} {model.manifest['version']}"
    graph = streaming_graph(network_of(model), load_weights(weights), description=identity)
    write_atomic(output / MODEL_FILE, functools.partial(_write, content=graph))
    manifest = dict(model.manifest)
    manifest["files"] = {MODEL_FILE: file_record(output / MODEL_FILE)}
    manifest["tensors"] = {MODEL_FILE: TfliteModel(output / MODEL_FILE).tensors()}
    manifest["network"] = {**manifest["network"], "form": "stream"}
    write_json(output / "manifest.json", manifest)
    return ModelFolder.open(output, role="detector")


def _write(path: Path, *, content: bytes) -> None:
    path.write_bytes(content)
