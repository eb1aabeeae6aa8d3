"""The firmware example's code around TensorFlow Lite Micro, with LiteRT in the place of its interpreter."""

import shutil
from pathlib import Path

import pytest

from detector.second_stage import SECOND_STAGE_FILE
from detector.stream import MODEL_FILE
from export.firmware import export_firmware
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.manifest import ModelFolder
from tests.detector.one_stage import one_stage
from tests.export.c_build import C11, CPP, SANITIZERS, build
from tests.export.micro_fake import INCLUDE, run_with_graphs

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="needs gcc and g++")

# Prints how many outputs of the first stage, of the second, and of both in their order differ; the last in two streams.
CHECK = r"""
#include <cstdio>
#include "detector_golden.h"
#include "example/tflm/micro_networks.h"
#if MICRO_SECOND_STAGE
#include "detector_second_stage_golden.h"
#define GOLDEN kDetectorGoldenCascade
#else
#define GOLDEN kDetectorGoldenOutputs
#endif

static MicroStages stages;

int main() {
  unsigned first = 0, second = 0, both = 0, n = 0;
  for (int stream = 0; stream < 2; ++stream) {
    if (!stages.Begin()) {
      return 3;
    }
    n = 0;
    for (uint32_t number = 0; number < DETECTOR_GOLDEN_FRAMES; ++number) {
      int8_t output = 0;
      if (stages.Push(&kDetectorGoldenFrames[number * DETECTOR_CHANNELS], &output)) {
        both += n >= DETECTOR_GOLDEN_OUTPUTS || output != GOLDEN[n];
        ++n;
      }
    }
    both += n != DETECTOR_GOLDEN_OUTPUTS;
  }
  stages.Begin();
  n = 0;
  for (uint32_t number = 0; number < DETECTOR_GOLDEN_FRAMES; ++number) {
    const int8_t* frame = &kDetectorGoldenFrames[number * DETECTOR_CHANNELS];
    int8_t output = 0;
    const bool is_due = stages.first()->is_due();
    const bool has_output = stages.first()->Push(frame, &output);
    first += has_output && (!is_due || output != kDetectorGoldenOutputs[n]);
#if MICRO_SECOND_STAGE
    stages.second()->Push(frame);
    second += has_output && stages.second()->Run() != kDetectorGoldenSecondStage[n];
#endif
    n += has_output ? 1U : 0U;
  }
  std::printf("%u %u %u %u\n", first, second, both, n);
  return 0;
}
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Sources of one stage and of two, by the model's name."""
    scratch = tmp_path_factory.mktemp("exported")
    models = {"one-stage": one_stage(scratch / "model"), SHIPPED_DETECTOR: SHIPPED_DETECTOR}
    for name, model in models.items():
        export_firmware(ModelFolder.open(model, role="detector"), scratch / name)
    return {name: scratch / name for name in models}


def graphs(name: str) -> list[Path]:
    shipped = ModelFolder.open(SHIPPED_DETECTOR, role="detector")
    return [shipped.file(file) for file in (MODEL_FILE, SECOND_STAGE_FILE)[: 1 if name == "one-stage" else 2]]


def program(sources: Path, scratch: Path, flags: list[str]) -> Path:
    flags = ["-O1", "-isystem", str(INCLUDE), *flags]
    return build(sources, scratch, CHECK, compiler=C11, main_compiler=CPP, flags=flags)


@pytest.mark.parametrize("name", ["one-stage", SHIPPED_DETECTOR])
def test_every_stage_equals_the_golden_vectors(exported: dict[str, Path], tmp_path: Path, name: str) -> None:
    done = run_with_graphs([program(exported[name], tmp_path, SANITIZERS)], graphs(name))
    assert (done.stdout, done.stderr, done.returncode) == ("0 0 0 25\n", "", 0)


@pytest.mark.parametrize(
    ("old", "new", "columns"),
    [
        ("all->bytes - kDetectorStateBytes[i]", "all->bytes - kDetectorStateBytes[i] - 1", (0, 2)),
        ("&frames_[n_newest], n_oldest", "&frames_[0], n_oldest", (1, 2)),
        (">= DETECTOR_WANTED_ABOVE", "< DETECTOR_WANTED_ABOVE", (2,)),
    ],
    ids=["state", "order", "threshold"],
)
def test_a_mistake_is_found(
    exported: dict[str, Path], tmp_path: Path, old: str, new: str, columns: tuple[int, ...]
) -> None:
    wrong = tmp_path / "wrong"
    shutil.copytree(exported[SHIPPED_DETECTOR], wrong)
    header = wrong / "example/tflm/micro_networks.h"
    text = header.read_text()
    assert text.count(old) == 1
    header.write_text(text.replace(old, new))
    done = run_with_graphs([program(wrong, tmp_path, [])], graphs(SHIPPED_DETECTOR))
    found = [int(word) > 0 for word in done.stdout.split()[:3]]
    assert found == [column in columns for column in range(3)]


def test_an_arena_that_is_too_small_is_noticed(exported: dict[str, Path], tmp_path: Path) -> None:
    small = program(exported[SHIPPED_DETECTOR], tmp_path, ["-DMICRO_EXTRA_BYTES=-13000"])
    done = run_with_graphs([small], graphs(SHIPPED_DETECTOR))
    assert (done.stdout, done.returncode) == ("", 3)
