"""The C sources: they compile, and compute what the Python that they describe computes."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from detector.features import quantize
from detector.gate import Gate, GateConfig
from detector.network import StreamingNetwork
from detector.silence import QuietHops
from detector.stream import MODEL_FILE, StreamingDetector
from detector.training.config import DetectorConfig, NetworkConfig
from detector.training.weights import save_weights
from export.bundle import export_bundle
from export.firmware import export_firmware, golden_sound
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.audio import mulaw
from nowplaying_core.errors import CorruptArtifactError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel
from tests.detector.networks import SMALL, random_weights
from tests.export.c_build import C11, C99, CPP, SANITIZERS, build

pytest.importorskip("tensorflow", reason="needs the train extra")
from export.detector import export_detector
from export.reference_network import network_tables
from export.stream_graph import streaming_graph

pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(shutil.which("g++") is None, reason="needs gcc and g++"),
]

GATE = GateConfig(
    window=3,
    enter_threshold=0.7,
    leave_threshold=0.35,
    consecutive_hits=2,
    early_window=2,
    early_threshold=0.85,
    silence_dbfs=-60.0,
)

CHECK = r"""
#include <stdio.h>
#include "detector_dsp.h"
#include "detector_golden.h"
#include "detector_model.h"
#include "detector_network.h"

static DetectorNetwork network;
static DetectorRing ring;

int main(void) {
  uint32_t result = DetectorCheck(&network, &ring);
  unsigned misaligned = (unsigned)((uintptr_t)kDetectorModel % 16U);
  printf("%u %u %u\n", (unsigned)result, misaligned, (unsigned)DETECTOR_GOLDEN_OUTPUTS);
  return 0;
}
"""

PROGRAM = r"""
#include <stdio.h>
#include <string.h>
#include "detector_golden.h"
#include "detector_model.h"

static DetectorRing ring;

int main(void) {
  char line[64];
  int value;
  uint8_t codes[7];
  DetectorGate gate;
  DetectorSilence silence = {0};
  memset(&gate, 0, sizeof gate);
  printf("%d\n", memcmp(kDetectorModel + 4, "TFL3", 4));
  for (int32_t sample = -32768; sample < 32768; ++sample) printf("%d ", DetectorMulaw((int16_t)sample));
  printf("\n");
  for (int32_t feature = 0; feature < 800; ++feature) printf("%d ", DetectorQuantize((uint16_t)feature));
  printf("\n");
  while (fgets(line, sizeof line, stdin) && line[0] == 'g') {
    sscanf(line + 1, "%d", &value);
    printf("%d ", DetectorGateStep(&gate, (int8_t)value));
  }
  printf("\n");
  for (uint32_t hop = 0; hop < DETECTOR_GOLDEN_HOPS; ++hop) {
    int16_t samples[DETECTOR_HOP_SAMPLES];
    uint32_t first = hop * DETECTOR_HOP_SAMPLES;
    for (uint32_t i = 0; i < DETECTOR_HOP_SAMPLES; ++i) samples[i] = DetectorGoldenSample(first + i);
    printf("%d ", DetectorHopIsQuiet(&silence, samples));
  }
  printf("\n");
  for (int32_t i = 0; i < 128003; ++i) {
    int16_t sample = (int16_t)((i % 64) * 500);
    if (i == 5 || i == 127999 || i == 128000) {
      uint32_t n = DetectorRingRead(&ring, 2, codes, sizeof codes);
      printf("%u ", (unsigned)n);
      for (uint32_t code = 0; code < n; ++code) printf("%u ", codes[code]);
    }
    DetectorRingWrite(&ring, &sample, 1);
  }
  uint32_t n_last = DetectorRingRead(&ring, 127995, codes, sizeof codes);
  printf("%u ", (unsigned)n_last);
  for (uint32_t code = 0; code < n_last; ++code) printf("%u ", codes[code]);
  printf("%u %u\n", (unsigned)DetectorRingRead(&ring, 128000, codes, 7), (unsigned)ring.filled);
  for (uint32_t i = 0; i < DETECTOR_GOLDEN_HOPS * DETECTOR_HOP_SAMPLES; ++i) printf("%d ", DetectorGoldenSample(i));
  printf("\n");
  return 0;
}
"""


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    save_weights(folder / "weights.npz", random_weights())
    (folder / "config.json").write_text(json.dumps(DetectorConfig(network=SMALL).to_dict()), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def folder(run_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with states."""
    return export_detector(run_dir, tmp_path_factory.mktemp("models") / "model", name="of-one-stage", gate=GATE)


def numbers_in(text: str, name: str) -> np.ndarray:
    body = text.split(f" {name}[")[1].split("{")[1].split("}", maxsplit=1)[0]
    return np.array([int(number) for number in body.split(",")])


@pytest.fixture(scope="module")
def sources(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the C sources."""
    target = tmp_path_factory.mktemp("firmware")
    export_firmware(ModelFolder.open(folder), target)
    return target


@pytest.mark.parametrize(
    ("compiler", "main_compiler"),
    [(C99, C99), (C11, C11), (CPP, CPP), (C99, CPP), (C11, CPP), (C11, C99)],
    ids=["C99", "C11", "C++17", "C99 in C++17", "C11 in C++17", "C11 in C99"],
)
def test_every_language_equals_the_golden_vectors(
    sources: Path, tmp_path: Path, compiler: list[str], main_compiler: list[str]
) -> None:
    program = build(sources, tmp_path, CHECK, compiler=compiler, main_compiler=main_compiler, flags=SANITIZERS)
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == (["0", "0", "25"], "")


@pytest.mark.parametrize(
    ("file", "old", "new", "bit"),
    [
        ("detector_dsp.c", "gate->sum +=", "gate->sum += 1U +", 8),
        ("detector_dsp.c", "< 64U", "< 63U", 1),
        ("detector_dsp.c", "+= 132U", "+= 130U", 2),
        ("detector_network.c", "* (int32_t)weights[i]", "* (int32_t)weights[i] + 1", 4),
        ("detector_network.c", "? layer->lowest :", "? layer->lowest + 1 :", 4),
    ],
    ids=["gate", "silence", "ring", "weights", "activation"],
)
def test_the_check_finds_a_mistake(sources: Path, tmp_path: Path, file: str, old: str, new: str, bit: int) -> None:
    wrong = tmp_path / "wrong"
    shutil.copytree(sources, wrong)
    text = (wrong / file).read_text()
    assert old in text
    (wrong / file).write_text(text.replace(old, new))
    program = build(wrong, tmp_path, CHECK, compiler=C11, main_compiler=C11, flags=[])
    assert int(subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()[0]) & bit


def test_c_computes_what_python_computes(sources: Path, tmp_path: Path) -> None:
    program = build(sources, tmp_path, PROGRAM, compiler=C99, main_compiler=CPP, flags=SANITIZERS)
    rng = np.random.default_rng(4)
    outputs = np.clip(rng.normal(0, 60, 400) + 80 * np.sin(np.arange(400) / 15), -128, 127).astype(int)
    given = "".join(f"g{output}\n" for output in outputs)
    printed = subprocess.run([program], input=given, capture_output=True, text=True, check=True).stdout.splitlines()
    magic, codes, features, states, quiet, ring, sound = ([int(word) for word in line.split()] for line in printed)
    assert magic == [0]
    assert codes == mulaw.encode(np.arange(-32_768, 32_768).astype(np.int16)).tolist()
    assert features == quantize(np.arange(800, dtype=np.uint16)).tolist()
    gate = Gate(GATE)
    expected = [gate.step((output + 128) / 256).is_open for output in outputs]
    assert [bool(state) for state in states] == expected
    assert 0 < sum(expected) < 400
    assert sound == golden_sound().tolist()
    assert [bool(one) for one in quiet[2:]] == QuietHops(-60.0).process(golden_sound()).tolist()
    assert 0 < sum(quiet) < len(quiet)

    written = mulaw.encode((np.arange(128_003) % 64 * 500).astype(np.int16)).tolist()
    assert ring == [3, *written[2:5], 7, *written[2:9], 7, *written[2:9], 5, *written[-5:], 0, 128_000]


def test_a_gate_longer_than_a_byte_counts_is_the_same_in_c(run_dir: Path, tmp_path: Path) -> None:
    config = GateConfig(window=300, enter_threshold=0.6, leave_threshold=0.4, consecutive_hits=2)
    model = export_detector(run_dir, tmp_path / "model", name="of-a-long-gate", gate=config)
    export_firmware(ModelFolder.open(model), tmp_path / "sources")
    program = build(tmp_path / "sources", tmp_path, PROGRAM, compiler=C99, main_compiler=CPP, flags=SANITIZERS)
    outputs = [100] * 400 + [-100] * 400
    given = "".join(f"g{output}\n" for output in outputs)
    printed = subprocess.run([program], input=given, capture_output=True, text=True, check=True).stdout.splitlines()
    gate = Gate(config)
    expected = [gate.step((output + 128) / 256).is_open for output in outputs]
    assert [bool(int(state)) for state in printed[3].split()] == expected
    assert 0 < sum(expected) < 800


def test_arrays_are_the_graph_and_the_golden_vector(folder: Path, sources: Path) -> None:
    graph = numbers_in((sources / "detector_model.c").read_text(), "kDetectorModel")
    assert graph.astype(np.uint8).tobytes() == (folder / MODEL_FILE).read_bytes()
    text = (sources / "detector_golden.c").read_text()
    detector = StreamingDetector.from_model(folder, reference_kernels=True)
    frames = detector.features(golden_sound())
    assert numbers_in(text, "kDetectorGoldenFrames").tolist() == frames.reshape(-1).tolist()
    assert (frames[80] == -128).all()
    outputs = [round(256 * one.probability) - 128 for one in detector.process_features(frames)]
    assert numbers_in(text, "kDetectorGoldenOutputs").tolist() == outputs
    assert len(set(outputs)) > 3


def test_network_in_c_equals_lite_rt_on_random_frames(folder: Path, sources: Path, tmp_path: Path) -> None:
    frames = np.random.default_rng(3).integers(-128, 128, (64 * 200 - 2, 40)).astype(np.int8)
    frames[3_000:6_000] //= 16
    main = r"""
#include <stdio.h>
#include "detector_network.h"
static DetectorNetwork network;
int main(void) {
  int8_t frame[DETECTOR_CHANNELS], output;
  DetectorNetworkReset(&network);
  while (fread(frame, 1, sizeof frame, stdin) == sizeof frame)
    if (DetectorNetworkPush(&network, frame, &output)) printf("%d ", output);
  return 0;
}
"""
    program = build(sources, tmp_path, main, compiler=C99, main_compiler=C99, flags=SANITIZERS)
    printed = subprocess.run([program], input=frames.tobytes(), capture_output=True, check=True).stdout
    network = StreamingNetwork(TfliteModel(folder / MODEL_FILE, reference_kernels=True))
    expected = [output - 128 for _, output in network.process(frames)]
    assert [int(word) for word in printed.split()] == expected
    assert len(expected) == 194
    assert len(set(expected)) > 3


def test_a_network_whose_places_need_more_than_16_bits_is_refused() -> None:
    """Their fields in the exported C are 16 bits wide, and a compiler cuts a larger number off."""
    large = NetworkConfig(n_filters=120, n_last_filters=120)
    graph = streaming_graph(large, random_weights(large))
    assert len(graph) > 2**16
    with pytest.raises(CorruptArtifactError, match="at most 65,535"):
        network_tables(graph)


def test_a_bundle_holds_the_firmware(folder: Path, tmp_path: Path) -> None:
    report = export_bundle(tmp_path / "out", detector=folder, fingerprinter=SHIPPED_FINGERPRINTER)
    assert report.checks["dsp"].split(", ")[0] == "detector_dsp.c"
    assert (tmp_path / "out/dsp/example/cortex_m/measure.cc").is_file()
    graph = numbers_in((tmp_path / "out/dsp/detector_model.c").read_text(), "kDetectorModel")
    assert graph.astype(np.uint8).tobytes() == (folder / MODEL_FILE).read_bytes()


def test_exporting_twice_gives_the_same_sources(folder: Path, tmp_path: Path) -> None:
    model = ModelFolder.open(folder, role="detector")
    one, two = export_firmware(model, tmp_path / "a"), export_firmware(model, tmp_path / "b")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
