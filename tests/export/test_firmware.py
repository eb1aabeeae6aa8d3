"""The C sources: they compile, and compute what the Python that they describe computes."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from detector.features import FeatureStream, quantize
from detector.gate import Gate, GateConfig
from detector.network import StreamingNetwork
from detector.silence import QuietHops
from detector.stream import MODEL_FILE
from detector.training.config import DetectorConfig
from detector.training.weights import save_weights
from export.bundle import export_bundle
from export.firmware import export_firmware
from nowplaying_core.audio import mulaw
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel
from tests.detector.networks import SMALL, random_weights

pytest.importorskip("tensorflow", reason="needs the train extra")
from export.detector import export_detector

pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc"),
]

GATE = GateConfig(window=3, enter_threshold=0.7, leave_threshold=0.35, consecutive_hits=2, silence_dbfs=-60.0)

PROGRAM = r"""
#include <stdio.h>
#include <string.h>
#include "detector_dsp.h"
#include "detector_golden.h"
#include "detector_model.h"

static DetectorRing ring;

int main(void) {
  char line[64];
  int value;
  DetectorGate gate = {0};
  DetectorSilence silence = {0};
  int16_t hop[DETECTOR_HOP_SAMPLES];
  printf("%d\n", memcmp(kDetectorModel + 4, "TFL3", 4));
  for (int i = 0; i < DETECTOR_GOLDEN_MULAW; ++i) {
    if (DetectorMulaw(kDetectorGoldenPcm[i]) != kDetectorGoldenMulaw[i]) return 1;
  }
  for (int32_t sample = -32768; sample < 32768; ++sample) printf("%d ", DetectorMulaw((int16_t)sample));
  printf("\n");
  for (int32_t feature = 0; feature < 800; ++feature) printf("%d ", DetectorQuantize((uint16_t)feature));
  printf("\n");
  while (fgets(line, sizeof line, stdin) && line[0] == 'g') {
    sscanf(line + 1, "%d", &value);
    printf("%d ", DetectorGateStep(&gate, (int8_t)value));
  }
  printf("\n");
  for (uint32_t start = 0; start + DETECTOR_HOP_SAMPLES <= DETECTOR_GOLDEN_SAMPLES; start += DETECTOR_HOP_SAMPLES) {
    memcpy(hop, kDetectorGoldenPcm + start, sizeof hop);
    if (start > DETECTOR_GOLDEN_SAMPLES / 3) memset(hop, 0, sizeof hop);
    printf("%d ", DetectorHopIsQuiet(&silence, hop));
  }
  printf("\n");
  for (int i = 0; i < 2; ++i) DetectorRingWrite(&ring, kDetectorGoldenPcm, DETECTOR_GOLDEN_SAMPLES);
  printf("%u %u %d\n", (unsigned)ring.next, (unsigned)ring.filled, ring.codes[0]);
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
    return export_detector(run_dir, tmp_path_factory.mktemp("models") / "model", name="detector-v2", gate=GATE)


def numbers_in(text: str, name: str) -> np.ndarray:
    body = text.split(f" {name}[")[1].split("{")[1].split("}", maxsplit=1)[0]
    return np.array([int(number) for number in body.split(",")])


def test_c_computes_what_python_computes(folder: Path, tmp_path: Path) -> None:
    sources = export_firmware(ModelFolder.open(folder), tmp_path)
    assert len(sources) == 6
    (tmp_path / "main.c").write_text(PROGRAM)
    program = tmp_path / "main"
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-pedantic"]
    for path in sources:
        if path.suffix == ".c":
            subprocess.run(["gcc", *flags, "-c", path, "-o", path.with_suffix(".o")], check=True)
    objects = [path.with_suffix(".o") for path in sources if path.suffix == ".c"]
    subprocess.run(["gcc", "-std=c99", "-I", tmp_path, tmp_path / "main.c", *objects, "-o", program], check=True)

    rng = np.random.default_rng(4)
    outputs = np.clip(rng.normal(0, 60, 400) + 80 * np.sin(np.arange(400) / 15), -128, 127).astype(int)
    given = "".join(f"g{output}\n" for output in outputs)
    printed = subprocess.run([program], input=given, capture_output=True, text=True, check=True).stdout.splitlines()
    magic, codes, features, states, quiet, ring = ([int(word) for word in line.split()] for line in printed)
    assert magic == [0]
    assert codes == mulaw.encode(np.arange(-32_768, 32_768).astype(np.int16)).tolist()
    assert features == quantize(np.arange(800, dtype=np.uint16)).tolist()
    gate = Gate(GATE)
    expected = [gate.step((output + 128) / 256).is_open for output in outputs]
    assert [bool(state) for state in states] == expected
    assert 0 < sum(expected) < 400

    golden = numbers_in((tmp_path / "detector_golden.c").read_text(), "kDetectorGoldenPcm").astype(np.int16)
    samples = golden.copy()
    samples[np.arange(samples.size) // 160 * 160 > samples.size // 3] = 0
    assert [bool(one) for one in quiet[2:]] == QuietHops(-60.0).process(samples).tolist()
    assert any(quiet)
    assert ring == [2 * golden.size % 128_000, 128_000, int(mulaw.encode(golden[128_000 - golden.size :][:1])[0])]


def test_arrays_are_the_graph_and_the_golden_vector(folder: Path, tmp_path: Path) -> None:
    export_firmware(ModelFolder.open(folder), tmp_path)
    graph = numbers_in((tmp_path / "detector_model.c").read_text(), "kDetectorModel")
    assert graph.astype(np.uint8).tobytes() == (folder / MODEL_FILE).read_bytes()
    text = (tmp_path / "detector_golden.c").read_text()
    sound = numbers_in(text, "kDetectorGoldenPcm").astype(np.int16)
    frames = quantize(FeatureStream().process(sound))
    assert numbers_in(text, "kDetectorGoldenFeatures").tolist() == frames.reshape(-1).tolist()
    network = StreamingNetwork(TfliteModel(folder / MODEL_FILE, reference_kernels=True))
    outputs = [output for _, output in network.process(frames)]
    assert numbers_in(text, "kDetectorGoldenProbabilities").tolist() == outputs
    assert len(outputs) >= 3


def test_a_bundle_holds_the_firmware(folder: Path, tmp_path: Path) -> None:
    report = export_bundle(tmp_path / "out", detector=folder, fingerprinter="fingerprinter-v1")
    assert report.checks["dsp"].split(", ")[0] == "detector_dsp.c"
    graph = numbers_in((tmp_path / "out/dsp/detector_model.c").read_text(), "kDetectorModel")
    assert graph.astype(np.uint8).tobytes() == (folder / MODEL_FILE).read_bytes()


def test_exporting_twice_gives_the_same_sources(folder: Path, tmp_path: Path) -> None:
    model = ModelFolder.open(folder, role="detector")
    one, two = export_firmware(model, tmp_path / "a"), export_firmware(model, tmp_path / "b")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
