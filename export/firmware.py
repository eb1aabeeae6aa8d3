"""The detector as C for a firmware: model, network, gate, mu-law ring, golden vectors, and an example that listens.

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
    INPUT_ZERO_POINT,
    N_CHANNELS,
    front_end_of,
)
from detector.front_end import FrontEndSettings
from detector.gate import STEPS, Gate, GateConfig
from detector.network import DECISION_FRAMES, StreamingNetwork
from detector.silence import HOLD_HOPS, QuietHops, quiet_energy
from detector.stream import MODEL_FILE, StreamingDetector
from export.cost import firmware_arena_bytes
from export.firmware_second_stage import SECOND_STAGE_TEMPLATES, second_stage_values
from export.operators import list_operators, operator_values
from export.reference_network import network_tables
from nowplaying_core.artifacts import write_text
from nowplaying_core.audio import SAMPLE_RATE_HZ, mulaw
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["export_firmware", "golden_sound"]

_ARENA_BYTES: Final = 16 * 1024
_RING_S: Final = 8
_GOLDEN_S: Final = 20
_TEMPLATES: Final = Path(__file__).with_name("templates")


def export_firmware(folder: ModelFolder, output: Path) -> tuple[Path, ...]:
    """Write ``detector_{model,network,dsp,golden}.[ch]``, ``example/``, and the second stage where there is one.

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
    front_end = front_end_of(folder.manifest, folder.path / "manifest.json")
    detector = StreamingDetector(model, gate_config=gate, front_end=front_end)
    tables = network_tables(graph)
    state_bytes = [int(np.prod(spec.shape)) for spec in model.inputs[1:]]
    values = {
        "name": f"{folder.manifest['name']} {folder.manifest['version']}",
        "sha256": hashlib.sha256(graph).hexdigest(),
        "model_bytes": len(graph),
        "arena_bytes": firmware_arena_bytes(graph, _ARENA_BYTES),
        "sample_rate": SAMPLE_RATE_HZ,
        "window": FRAME_WINDOW_SAMPLES,
        "hop": FRAME_HOP_SAMPLES,
        "channels": N_CHANNELS,
        "full_scale": front_end.full_scale,
        "half_scale": front_end.full_scale // 2,
        **_front_end_values(front_end),
        "zero_point": INPUT_ZERO_POINT,
        "step_frames": DECISION_FRAMES,
        "kept_frames": model.input.shape[1] - DECISION_FRAMES,
        "first_output": -(-network.window_frames // DECISION_FRAMES),
        "silent_frames": -network.window_frames % DECISION_FRAMES,
        "n_states": len(model.inputs) - 1,
        "state_bytes": ", ".join(map(str, state_bytes)),
        "all_states_bytes": sum(state_bytes),
        "gate_window": gate.window,
        "gate_index": "uint8_t" if gate.window <= 2**8 else "uint16_t",
        "enter_sum": gate.enter_sum,
        "leave_sum": gate.leave_sum,
        "hits": gate.consecutive_hits,
        "early_window": gate.early_length,
        "early_enter_sum": gate.early_enter_sum,
        "early_leave_sum": gate.early_leave_sum,
        "cool_down_ms": round(1_000 * gate.cool_down_s),
        "back_off": gate.back_off_factor,
        "longest_rest_ms": round(1_000 * gate.longest_rest_s),
        "quiet_energy": 0 if gate.silence_dbfs is None else quiet_energy(gate.silence_dbfs),
        "hold_hops": HOLD_HOPS,
        "ring_bytes": _RING_S * SAMPLE_RATE_HZ,
        "steps": STEPS,
        "model_array": _array(np.frombuffer(graph, dtype=np.uint8)),
        **operator_values(list_operators(graph, where=str(path))),
        **_initializers(tables),
        **_golden(detector),
        **(second := _second_stage(folder, detector)),
    }
    output.mkdir(parents=True, exist_ok=True)
    paths = []
    for template in sorted(path for path in _TEMPLATES.rglob("*") if path.is_file()):
        if template.match(SECOND_STAGE_TEMPLATES) and not second:
            continue
        paths.append(output / template.relative_to(_TEMPLATES))
        paths[-1].parent.mkdir(exist_ok=True)
        text = template.read_text(encoding="utf-8")
        write_text(paths[-1], Template(text).substitute(values) if template.parent == _TEMPLATES else text)
    return tuple(paths)


def golden_sound() -> NDArray[np.int16]:
    """Return the sound of the golden vectors, which ``DetectorGoldenSample`` computes in C.

    Returns
    -------
    ndarray of int16, shape (320000,)
        16 kHz mono: two seconds too soft to hear, ten of music (triangles that fade), eight of noise.
    """
    number = np.arange(_GOLDEN_S * SAMPLE_RATE_HZ, dtype=np.uint32)
    hashed = number * np.uint32(2_654_435_761)
    for shift, factor in ((15, 2_246_822_507), (13, 3_266_489_909)):
        hashed = (hashed ^ (hashed >> np.uint32(shift))) * np.uint32(factor)
    second = number // SAMPLE_RATE_HZ
    is_music = (second >= 2) & (second < 12)
    level = np.where(second < 2, 8, np.where(is_music, 100, 2_000))
    sound = _divide(((hashed >> np.uint32(16)).astype(np.int64) - 32_768) * level)
    age = number % 4_000
    notes = np.array([220, 277, 330, 440, 330, 277, 196, 247, 294, 392, 294, 247], dtype=np.uint64)
    steps = ((notes << np.uint64(32)) // np.uint64(SAMPLE_RATE_HZ)).astype(np.uint32)
    phase = steps[number // 4_000 % 12] * age
    saws = [((phase * np.uint32(harmonic)) >> np.uint32(16)).astype(np.int64) - 32_768 for harmonic in (1, 2, 3)]
    tone = sum(2 * np.abs(saw) - 32_768 for saw in saws)
    sound[is_music] += _divide(tone * (4_000 - age.astype(np.int64)))[is_music]
    return sound.astype(np.int16)


def _divide(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Divide by 32768 and cut the fraction off, as C does."""
    quotients: NDArray[np.int64] = np.sign(values) * (np.abs(values) >> 15)
    return quotients


def _front_end_values(settings: FrontEndSettings) -> dict[str, object]:
    """Return the values of ``FrontendConfig`` in C."""
    return {
        "has_gain_control": int(settings.has_gain_control),
        "gain_bits": settings.gain_bits,
        **{
            name: f"{float(getattr(settings, name))!r}f"
            for name in ("even_smoothing", "odd_smoothing", "min_signal_remaining", "gain_strength", "gain_offset")
        },
    }


def _golden(detector: StreamingDetector) -> dict[str, object]:
    """Return what the golden sound becomes on its way, and outputs that lead the gate in and out."""
    pcm, config = golden_sound(), detector.gate_config
    frames = detector.features(pcm)
    outputs = np.array([round(one.probability * STEPS) for one in detector.process_features(frames)])
    quiet = QuietHops(config.silence_dbfs if config.silence_dbfs is not None else -100.0)
    ring = mulaw.encode(pcm[-_RING_S * SAMPLE_RATE_HZ :])
    swing = 128 + 120 * np.sin(np.arange(240) ** 1.3 / 25)
    wandering = np.clip(swing + np.random.default_rng(1).normal(0, 30, swing.size), 0, 255).astype(np.int64)
    return {
        "golden_hops": pcm.size // FRAME_HOP_SAMPLES,
        "golden_frames": len(frames),
        "golden_outputs": len(outputs),
        "golden_gate": wandering.size,
        "golden_features": _array(frames.reshape(-1)),
        "golden_output_array": _array(outputs - 128),
        "golden_is_music": _truths(config, outputs),
        "golden_gate_outputs": _array(wandering - 128),
        "golden_gate_is_music": _truths(config, wandering),
        "golden_quiet_hops": 0 if config.silence_dbfs is None else int(quiet.process(pcm).sum()),
        "golden_ring_fnv1a": _fnv1a(ring.tobytes()),
    }


def _second_stage(folder: ModelFolder, detector: StreamingDetector) -> dict[str, object]:
    """Return the values of the second stage's templates; none for a detector of one stage."""
    detector.reset()
    values = second_stage_values(folder, detector.features(golden_sound()))
    if values:
        values["golden_cascade_is_music"] = _truths(detector.gate_config, values["golden_cascade"])
        values |= {name: values[name] - 128 for name in ("golden_second_stage", "golden_cascade")}
    return _initializers(values)


def _initializers(values: dict[str, object]) -> dict[str, object]:
    return {name: _array(value) if isinstance(value, np.ndarray) else value for name, value in values.items()}


def _truths(config: GateConfig, outputs: NDArray[np.int64]) -> str:
    gate = Gate(config)
    states = [str(gate.step(output / STEPS).is_open).lower() for output in outputs.tolist()]
    return ",\n".join("    " + ", ".join(states[start : start + 16]) for start in range(0, len(states), 16))


def _fnv1a(content: bytes) -> int:
    """Return the 32-bit FNV-1a hash."""
    value = 2_166_136_261
    for byte in content:
        value = (value ^ byte) * 16_777_619 & 0xFFFFFFFF
    return value


def _array(values: NDArray[np.generic]) -> str:
    """Return numbers as lines of a C initializer."""
    return ",\n".join(_lines(values))


def _lines(values: NDArray[np.generic]) -> Iterable[str]:
    for start in range(0, values.size, 24):
        yield "    " + ", ".join(str(value) for value in values[start : start + 24].tolist())
