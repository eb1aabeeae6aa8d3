"""The detector as C for a TensorFlow Lite Micro firmware: model, parameters, gate, mu-law ring, golden vector.

Nothing here is typed twice: every number comes from the model's folder or from the Python that it describes.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from string import Template
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.features import (
    FRAME_HOP_SAMPLES,
    FRAME_WINDOW_SAMPLES,
    FULL_SCALE,
    INPUT_ZERO_POINT,
    N_CHANNELS,
    FeatureStream,
    quantize,
)
from detector.gate import STEPS, GateConfig
from detector.network import DECISION_FRAMES, StreamingNetwork
from detector.silence import HOLD_HOPS, quiet_energy
from detector.stream import MODEL_FILE
from export.cost import arena_bytes
from nowplaying_core.artifacts import write_text
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.errors import MissingExtraError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["export_firmware"]

_RING_S: Final = 8
_GOLDEN_S: Final = 6.0
_TEMPLATES: Final = Path(__file__).with_name("templates")


def export_firmware(folder: ModelFolder, output: Path) -> tuple[Path, ...]:
    """Write ``detector_model.[ch]``, ``detector_dsp.[ch]`` and ``detector_golden.[ch]``.

    Parameters
    ----------
    folder : ModelFolder
        Of a detector.
    output : Path
        Folder; made when missing.

    Returns
    -------
    tuple of Path
        What was written.
    """
    path = folder.file(MODEL_FILE)
    model = TfliteModel(path, reference_kernels=True)
    network = StreamingNetwork(model)
    graph = path.read_bytes()
    gate = GateConfig.from_dict(folder.manifest["gate"])
    values = {
        "name": f"{folder.manifest['name']} {folder.manifest['version']}",
        "sha256": hashlib.sha256(graph).hexdigest(),
        "model_bytes": len(graph),
        "arena_bytes": _arena(graph),
        "sample_rate": SAMPLE_RATE_HZ,
        "window": FRAME_WINDOW_SAMPLES,
        "hop": FRAME_HOP_SAMPLES,
        "channels": N_CHANNELS,
        "full_scale": FULL_SCALE,
        "half_scale": FULL_SCALE // 2,
        "zero_point": INPUT_ZERO_POINT,
        "step_frames": DECISION_FRAMES,
        "kept_frames": model.input.shape[1] - DECISION_FRAMES,
        "first_output": -(-network.window_frames // DECISION_FRAMES),
        "silent_frames": -network.window_frames % DECISION_FRAMES,
        "n_states": len(model.inputs) - 1,
        "state_bytes": ", ".join(str(int(np.prod(spec.shape))) for spec in model.inputs[1:]),
        "gate_window": gate.window,
        "enter_sum": gate.enter_sum,
        "leave_sum": gate.leave_sum,
        "hits": gate.consecutive_hits,
        "cool_down_ms": round(1_000 * gate.cool_down_s),
        "back_off": gate.back_off_factor,
        "longest_rest_ms": round(1_000 * gate.longest_rest_s),
        "quiet_energy": 0 if gate.silence_dbfs is None else quiet_energy(gate.silence_dbfs),
        "hold_hops": HOLD_HOPS,
        "ring_bytes": _RING_S * SAMPLE_RATE_HZ,
        "steps": STEPS,
        "model_array": _array(np.frombuffer(graph, dtype=np.uint8)),
        **_golden(model),
    }
    output.mkdir(parents=True, exist_ok=True)
    paths = []
    for template in sorted(_TEMPLATES.glob("*.[ch]")):
        text = Template(template.read_text(encoding="utf-8")).substitute(values)
        paths.append(output / template.name)
        write_text(paths[-1], text)
    return tuple(paths)


def _golden(model: TfliteModel) -> dict[str, object]:
    """Return a made sound as PCM, its features, its outputs and its mu-law codes, to test a firmware with."""
    from nowplaying_core.audio import mulaw

    time_s = np.arange(int(_GOLDEN_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    # An arpeggio whose tones fade, in a little noise from a fixed seed: it moves all channels.
    note = 220.0 * 2 ** (np.array([0, 4, 7, 12, 7, 4])[(time_s * 4).astype(int) % 6] / 12)
    tone = sum(np.sin(2 * np.pi * number * np.cumsum(note) / SAMPLE_RATE_HZ) / number for number in (1, 2, 3, 5))
    noise = np.random.default_rng(1).standard_normal(time_s.size)
    pcm = np.rint(4_000 * tone * np.exp(-4 * (time_s * 4 % 1)) + 60 * noise).astype(np.int16)
    frames = quantize(FeatureStream().process(pcm))
    network = StreamingNetwork(model)
    outputs = [output for _, output in network.process(frames)]
    return {
        "golden_samples": pcm.size,
        "golden_frames": len(frames),
        "golden_outputs": len(outputs),
        "golden_pcm": _array(pcm),
        "golden_features": _array(frames.reshape(-1)),
        "golden_probabilities": _array(np.array(outputs)),
        "golden_mulaw": _array(mulaw.encode(pcm[:1_600])),
        "golden_mulaw_size": 1_600,
    }


def _array(values: NDArray[np.generic]) -> str:
    """Return numbers as lines of a C initializer."""
    return ",\n".join(_lines(values))


def _lines(values: NDArray[np.generic]) -> Iterable[str]:
    for start in range(0, values.size, 24):
        yield "    " + ", ".join(str(value) for value in values[start : start + 24].tolist())


def _arena(graph: bytes) -> int:
    """Return the arena measured here, or a safe size where TensorFlow Lite Micro is not installed."""
    try:
        return -(-arena_bytes(graph) // 16) * 16
    except MissingExtraError:
        return 16 * 1024
