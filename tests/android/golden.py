"""Golden vectors for the phone's Java: what this package computes, for the tests of ``android_demo/core``.

``python -m tests.android.golden FOLDER`` writes them. Nothing is kept in the repository: they follow their code.
"""

import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.features import FeatureStream, quantize
from detector.gate import STEPS, Gate, GateConfig
from detector.silence import QuietHops
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio import load, mulaw, to_float32, to_int16
from ondevice_db.format.arrays import save_array
from ondevice_db.levels import brought_up
from simulator.scenes.recordings import demo_recordings
from tests.android.golden_database import write_database_goldens
from tests.android.golden_graphs import write_graph_goldens
from tests.android.golden_overhang import write_overhang_goldens
from tests.android.golden_phone import write_loop_goldens, write_network_goldens, write_phone_goldens

__all__ = ["main", "write_frontend_goldens", "write_gate_goldens", "write_level_goldens", "write_ring_goldens"]

_SAMPLE_RATE_HZ: Final = 16_000
_HOP: Final = 160
_SILENCE_DBFS: Final = -50.0


def main(arguments: list[str]) -> int:
    """Write all golden vectors into the folder that is the only argument."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.android.golden FOLDER\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    write_frontend_goldens(folder)
    write_gate_goldens(folder)
    write_ring_goldens(folder)
    write_level_goldens(folder)
    write_database_goldens(folder)
    write_overhang_goldens(folder)
    write_network_goldens(folder)
    write_loop_goldens(folder)
    write_phone_goldens(folder)
    write_graph_goldens(folder)
    return 0


def sounds() -> dict[str, NDArray[np.int16]]:
    """Return the sounds of the front end's vectors: every recording of the demo, and what strains integers."""
    rng = np.random.default_rng(11)
    n = 4 * _SAMPLE_RATE_HZ
    time_s = np.arange(n) / _SAMPLE_RATE_HZ
    square = np.where(np.sin(2 * np.pi * 437 * time_s) >= 0, 32_767, -32_768)
    made = {
        "silence": np.zeros(n),
        "noise": rng.integers(-32_768, 32_768, n),
        "square": square,
        "least": np.full(n, -32_768),
        "quiet": rng.integers(-2, 3, n),
        "sweep": 20_000 * np.sin(2 * np.pi * (40 * time_s + 990 * time_s**2)),
        "steps": square * np.repeat(10.0 ** -rng.uniform(0, 4.5, n // 800), 800),
    }
    recorded = {
        name: to_int16(load(recording.path))[: 10 * _SAMPLE_RATE_HZ] for name, recording in demo_recordings().items()
    }
    return {name: values.astype(np.int16) for name, values in made.items()} | recorded


def write_frontend_goldens(folder: Path) -> None:
    """Write each sound with its raw and int8 features and what counts as silence in it."""
    names = []
    for name, pcm in sounds().items():
        raw = FeatureStream().process(pcm)
        save_array(folder / f"frontend-{name}-pcm.npy", pcm)
        save_array(folder / f"frontend-{name}-raw.npy", raw)
        save_array(folder / f"frontend-{name}-int8.npy", quantize(raw))
        save_array(folder / f"frontend-{name}-silent.npy", QuietHops(_SILENCE_DBFS).process(pcm).astype(np.uint8))
        names.append(name)
    write_json(folder / "frontend.json", {"names": names, "silence_dbfs": _SILENCE_DBFS})


def write_gate_goldens(folder: Path) -> None:
    """Write runs of the gate: settings, outputs of the detector, and the gate's sum and state after each."""
    rng = np.random.default_rng(5)
    settings = [
        GateConfig(),
        GateConfig(window=1, consecutive_hits=1, enter_threshold=0.5),
        GateConfig(window=7, enter_threshold=0.7, leave_threshold=0.3),
        GateConfig(window=3, consecutive_hits=4, silence_dbfs=-55.0),
        GateConfig(window=6, early_window=2, early_threshold=0.85),
        GateConfig(window=3, early_window=3, early_threshold=0.6, leave_threshold=0.4),
    ]
    runs = [_gate_run(rng, config) for config in settings for _ in range(4)]
    write_json(folder / "gate.json", {"runs": runs})


def _gate_run(rng: np.random.Generator, config: GateConfig) -> dict[str, Any]:
    gate, steps, level = Gate(config), [], 0.5
    for _ in range(1500):
        if rng.random() < 0.02:
            level = rng.random()
        output = int(np.clip(np.rint(rng.normal(level, 0.15) * STEPS), 0, STEPS))
        event = gate.step(output / STEPS)
        steps.append([output, round(event.probability * STEPS * config.window), event.is_open])
    return {"settings": config.to_dict(), "steps": steps}


def write_level_goldens(folder: Path) -> None:
    """Write buffers of 2.55 s, what the fingerprinter gets for each, and the level that is silence there."""
    rng = np.random.default_rng(31)
    n = round(2.55 * _SAMPLE_RATE_HZ)
    song = load(next(iter(demo_recordings().values())).path)[:n]
    song /= float(np.sqrt(np.mean(np.square(song))))
    quiet, click = np.float32(1e-3) * song, np.where(np.arange(n) // 160 == 77, np.float32(0.9), np.float32(0))
    buffers = {
        "usual": 0.1 * song,
        "quiet": quiet,
        "quiet after a click": quiet + click,
        "quiet beside an offset": quiet + 0.05,
        "usual beside an offset": 0.1 * song - 0.2,
        "begins quiet": np.where(np.arange(n) < 1.2 * _SAMPLE_RATE_HZ, quiet, 0.1 * song),
        "dither": rng.integers(-1, 2, n) / 32_768,
        "nothing": np.zeros(n),
        "short": np.where(np.arange(n) < 12_000, quiet, 0)[:12_000],
    }
    record = []
    for number, (name, samples) in enumerate(buffers.items()):
        pcm = to_int16(np.clip(samples, -1, 1).astype(np.float32))
        leveled, silence_dbfs = brought_up(to_float32(mulaw.decode(mulaw.encode(pcm))))
        save_array(folder / f"level-{number}-pcm.npy", pcm)
        save_array(folder / f"level-{number}-leveled.npy", leveled.astype(np.float32))
        record.append({"name": name, "samples": leveled.size, "silence_dbfs": silence_dbfs})
    write_json(folder / "levels.json", {"buffers": record})


def write_ring_goldens(folder: Path) -> None:
    """Write both mu-law tables, and a sound as the ring buffer hands it back."""
    every = np.arange(-32_768, 32_768).astype(np.int16)
    save_array(folder / "mulaw-encoded.npy", mulaw.encode(every))
    save_array(folder / "mulaw-decoded.npy", mulaw.decode(np.arange(256).astype(np.uint8)))
    save_array(folder / "mulaw-floats.npy", to_float32(mulaw.decode(mulaw.encode(every))))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
