"""The second stage in C equals LiteRT's reference kernels to the last bit."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from detector.second_stage import SECOND_STAGE_FILE
from detector.stream import MODEL_FILE, StreamingDetector
from detector.training.config import DetectorConfig
from detector.training.weights import save_weights
from export.firmware import export_firmware, golden_sound
from export.logit_convolution import logit_as_convolution
from export.micro import MicroModel
from export.minify import write_flatbuffer
from export.operators import open_graph
from export.reference_network import logistic_table
from nowplaying_core.errors import ManifestMismatchError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel
from tests.detector.networks import SMALL, random_weights
from tests.export.c_build import C11, C99, CPP, SANITIZERS, build

pytest.importorskip("tensorflow", reason="needs the train extra")
from export.detector import export_detector
from tests.export.second_stages import add_second_stage, random_second_stage

pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(shutil.which("g++") is None, reason="needs gcc and g++"),
]

CHECK = r"""
#include <stdio.h>
#include "detector_second_stage_golden.h"
#include "detector_second_stage_model.h"

static DetectorNetwork network;
static DetectorSecondStage stage;

int main(void) {
  unsigned result = (unsigned)DetectorSecondStageCheck(&network, &stage);
  printf("%u %u\n", result, (unsigned)((uintptr_t)kDetectorSecondStageModel % 16U));
  return 0;
}
"""

CASCADE = r"""
#include <stdio.h>
#include "detector_second_stage.h"

static DetectorNetwork network;
static DetectorSecondStage stage;

int main(void) {
  int8_t frame[DETECTOR_CHANNELS], output = 0;
  DetectorNetworkReset(&network);
  DetectorSecondStageReset(&stage);
  while (fread(frame, 1, sizeof frame, stdin) == sizeof frame) {
    if (DetectorCascadePush(&network, &stage, frame, &output)) {
      printf("%d %d ", output, DetectorSecondStageRun(&stage));
    }
  }
  return 0;
}
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Model folders of one stage and of two."""
    scratch = tmp_path_factory.mktemp("models")
    run_dir = scratch / "run"
    run_dir.mkdir()
    save_weights(run_dir / "weights.npz", random_weights())
    (run_dir / "config.json").write_text(json.dumps(DetectorConfig(network=SMALL).to_dict()), encoding="utf-8")
    one = export_detector(run_dir, scratch / "one", name="of-one-stage")
    outputs = [
        round(256 * decision.probability) for decision in StreamingDetector.from_model(one).process_pcm(golden_sound())
    ]
    wanted_above = sorted(outputs)[len(outputs) // 2]
    assert min(outputs) < wanted_above
    return one, add_second_stage(one, scratch / "two", random_second_stage(), wanted_above=wanted_above)


@pytest.fixture(scope="module")
def sources(folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("firmware")
    export_firmware(ModelFolder.open(folders[1], role="detector"), target)
    return target


def test_a_detector_of_one_stage_has_no_file_of_a_second(
    folders: tuple[Path, Path], sources: Path, tmp_path: Path
) -> None:
    names = {path.name for path in export_firmware(ModelFolder.open(folders[0], role="detector"), tmp_path)}
    assert not [name for name in names if "second_stage" in name]
    added = {path.name for path in sources.rglob("*") if path.is_file()} - names
    assert added == {
        f"detector_second_stage{part}.{suffix}" for part in ("", "_model", "_golden") for suffix in ("c", "h")
    }
    for name in ("detector_dsp.c", "detector_golden.c", "detector_network.c"):
        assert (tmp_path / name).read_bytes() == (sources / name).read_bytes()


@pytest.mark.parametrize(
    ("compiler", "main_compiler"),
    [(C99, C99), (C11, CPP), (CPP, CPP)],
    ids=["C99", "C11 in C++17", "C++17"],
)
def test_every_language_equals_the_golden_vectors(
    sources: Path, tmp_path: Path, compiler: list[str], main_compiler: list[str]
) -> None:
    flags = ["-O1", *SANITIZERS]
    program = build(sources, tmp_path, CHECK, compiler=compiler, main_compiler=main_compiler, flags=flags)
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == (["0", "0"], "")


@pytest.mark.parametrize(
    ("old", "new", "bits"),
    [
        ("sum + filter->bias", "sum + filter->bias + 400", 48),
        ("layer->lowest :", "layer->lowest + 9 :", 48),
        ("(count / 2))) / count", "(count / 2))) / (count + 1)", 48),
        ("layer->operation == FULLY_CONNECTED) ? Scale", "layer->operation == AVERAGE) ? Scale", 16),
        ("kLogistic[(int32_t)", "kLogistic[-1 - (int32_t)", 48),
        (">= DETECTOR_WANTED_ABOVE", "> DETECTOR_WANTED_ABOVE", 32),
    ],
    ids=["bias", "activation", "average", "rounding", "logistic", "threshold"],
)
def test_the_check_finds_a_mistake(sources: Path, tmp_path: Path, old: str, new: str, bits: int) -> None:
    wrong = tmp_path / "wrong"
    shutil.copytree(sources, wrong)
    text = (wrong / "detector_second_stage.c").read_text()
    assert old in text
    (wrong / "detector_second_stage.c").write_text(text.replace(old, new))
    program = build(wrong, tmp_path, CHECK, compiler=C11, main_compiler=C11, flags=["-O1"])
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[0]) & bits == bits


def test_golden_outputs_are_those_of_the_detector(folders: tuple[Path, Path], sources: Path) -> None:
    detector = StreamingDetector.from_model(folders[1], reference_kernels=True)
    expected = [round(256 * one.probability) - 128 for one in detector.process_pcm(golden_sound())]
    text = (sources / "detector_second_stage_golden.c").read_text()
    body = text.split(" kDetectorGoldenCascade[")[1].split("{")[1].split("}", maxsplit=1)[0]
    assert [int(word) for word in body.split(",")] == expected
    assert -128 in expected
    assert len(set(expected)) > 3


@pytest.mark.parametrize("is_convolution", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_c_equals_lite_rt_and_micro_on_random_frames(
    folders: tuple[Path, Path], tmp_path: Path, seed: int, *, is_convolution: bool
) -> None:
    (tmp_path / "build").mkdir()
    wanted_above = json.loads((folders[1] / "manifest.json").read_text())["cascade"]["wanted_above"]
    graph = random_second_stage(10 + seed)
    if is_convolution:
        model, _ = open_graph(graph)
        logit_as_convolution(model)
        graph = write_flatbuffer(model)
    folder = add_second_stage(folders[0], tmp_path / "model", graph, wanted_above=wanted_above)
    export_firmware(ModelFolder.open(folder, role="detector"), tmp_path / "dsp")
    rng = np.random.default_rng(seed)
    centre, width = (np.repeat(rng.uniform(*span, (8, 1)), 320, axis=0) for span in ((-128, 60), (1, 90)))
    frames = np.clip(rng.normal(centre, width, (64 * 40, 40)), -128, 127).astype(np.int8)
    frames[500:1_000] = rng.integers(-128, 128, (500, 40))
    frames[1_500:2_000] //= 16
    program = build(
        tmp_path / "dsp", tmp_path / "build", CASCADE, compiler=C99, main_compiler=C99, flags=["-O1", *SANITIZERS]
    )
    printed = subprocess.run([program], input=frames.tobytes(), capture_output=True, check=True).stdout.split()
    cascade, second = (np.array(printed[start::2], dtype=int) for start in (0, 1))

    detector = StreamingDetector.from_model(folder, reference_kernels=True)
    decisions = detector.process_features(frames)
    assert [round(256 * one.probability) - 128 for one in decisions] == cascade.tolist()
    ends = [round((one.time_s - 0.03) * 100) + 1 for one in decisions]
    windows = [frames[end - 446 : end][None, ..., None] for end in ends]
    path = folder / SECOND_STAGE_FILE
    model = TfliteModel(path, reference_kernels=True)
    assert [model.run(window).item() for window in windows] == second.tolist()
    # TensorFlow Lite Micro rounds a fully connected layer twice, LiteRT once: by a step of the logit at most.
    micro = MicroModel(path)
    differences = np.abs([micro.run(window).item() for window in windows] - second)
    step = np.abs(np.diff(logistic_table(open_graph(path.read_bytes())[0]).astype(int))).max()
    assert differences.max() <= (0 if is_convolution else step)
    assert np.mean(differences == 0) > 0.8
    assert len(set(second.tolist())) > 5
    assert 0 < (cascade == -128).sum() < len(cascade)


def test_a_threshold_that_is_none_is_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    folder = add_second_stage(folders[0], tmp_path / "model", random_second_stage(), wanted_above=300)
    with pytest.raises(ManifestMismatchError, match="wanted_above"):
        export_firmware(ModelFolder.open(folder, role="detector"), tmp_path / "dsp")
    assert not (tmp_path / "dsp").exists()
    assert (folder / MODEL_FILE).is_file()
