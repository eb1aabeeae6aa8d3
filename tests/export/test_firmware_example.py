"""The firmware example: the whole listening loop on this machine, and on an emulated Cortex-M4."""

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from detector.features import features_of, frontend_settings
from detector.front_end import FrontEndSettings
from detector.gate import Gate
from detector.second_stage import SECOND_STAGE_FILE
from detector.stream import MODEL_FILE, StreamingDetector
from evaluation.export_figures import FIRMWARE_RESULTS
from export.firmware import export_firmware, golden_sound
from export.firmware_cost import measure_cortex_m
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.audio import SAMPLE_RATE_HZ, mulaw, to_int16
from nowplaying_core.manifest import ModelFolder
from tests.detector.one_stage import one_stage
from tests.export.micro_fake import INCLUDE, run_with_graphs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("cmake") is None or shutil.which("g++") is None, reason="needs cmake and g++"),
]


@pytest.fixture(scope="module", params=["as shipped", "first stage alone"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    alone = request.param == "first stage alone"
    folder = one_stage(tmp_path_factory.mktemp("model") / "one") if alone else SHIPPED_DETECTOR
    return ModelFolder.open(folder, role="detector")


@pytest.fixture(scope="module")
def sources(model: ModelFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("firmware")
    export_firmware(model, target)
    return target


@pytest.fixture(scope="module")
def frontend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the micro front end's sources, from the package that Python runs."""
    folder = tmp_path_factory.mktemp("frontend")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", str(folder)]
    done = subprocess.run([*command, "pymicro-features==2.0.2"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"pip gets no sources of pymicro-features here: {done.stderr.strip().splitlines()[-1]}")
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        content.extractall(folder, filter="data")
    return folder / "pymicro_features-2.0.2"


@pytest.fixture(scope="module")
def listener(sources: Path, frontend: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    configure = ["cmake", "-S", str(sources / "example"), "-B", str(folder), f"-DMICROFRONTEND={frontend}"]
    for command in (configure, ["cmake", "--build", str(folder)]):
        subprocess.run(command, check=True, capture_output=True)
    return folder / "listener"


def test_front_end_and_all_equal_the_golden_vectors(listener: Path) -> None:
    done = subprocess.run([listener, "check"], capture_output=True, text=True, check=False)
    assert done.stdout == "without the front end: equal (0); with it: 1998 frames and 25 outputs, 0 differ\n"
    assert done.returncode == 0


@pytest.mark.parametrize(
    "settings",
    [
        FrontEndSettings(min_signal_remaining=1.0, gain_strength=0.0, full_scale=900),
        FrontEndSettings(min_signal_remaining=1.0, gain_strength=0.5, gain_bits=17, full_scale=900),
        FrontEndSettings(even_smoothing=0.0031, odd_smoothing=0.0075, gain_offset=400.0),
    ],
    ids=["logarithm alone", "a weaker gain", "slower averages"],
)
def test_other_settings_of_the_front_end_equal_their_golden_vectors(
    settings: FrontEndSettings, frontend: Path, tmp_path: Path
) -> None:
    shipped = one_stage(tmp_path / "model")
    manifest = json.loads((shipped / "manifest.json").read_text(encoding="utf-8"))
    changed = json.dumps(manifest | {"frontend": frontend_settings(settings)})
    (shipped / "manifest.json").write_text(changed, encoding="utf-8")
    export_firmware(ModelFolder.open(shipped, role="detector"), tmp_path / "dsp")
    configure = ["cmake", "-S", tmp_path / "dsp/example", "-B", tmp_path / "build", f"-DMICROFRONTEND={frontend}"]
    for command in (configure, ["cmake", "--build", tmp_path / "build"]):
        subprocess.run(command, check=True, capture_output=True)
    done = subprocess.run([tmp_path / "build/listener", "check"], capture_output=True, text=True, check=False)
    assert done.stdout == "without the front end: equal (0); with it: 1998 frames and 25 outputs, 0 differ\n"
    sound = golden_sound()
    assert not np.array_equal(features_of(sound, settings), features_of(sound))


def test_it_hears_music_begin_when_python_does(
    model: ModelFolder, listener: Path, songs: list[np.ndarray], tmp_path: Path
) -> None:
    pcm = to_int16(np.concatenate([np.zeros(SAMPLE_RATE_HZ, np.float32), songs[0], np.zeros(8 * SAMPLE_RATE_HZ)]))
    done = subprocess.run([listener], input=pcm.tobytes(), capture_output=True, check=True, cwd=tmp_path)
    detector = StreamingDetector.from_model(model, reference_kernels=True)
    gate, expected = Gate(detector.gate_config), []
    for decision in detector.process_pcm(pcm):
        event = gate.step(decision.probability)
        if event.entered or event.left:
            expected.append(f"{decision.time_s:.2f} s: music {'begins' if event.entered else 'ends'}")
    assert done.stdout.decode().splitlines() == expected
    assert len(expected) == 2
    end = round(float(expected[0].split()[0]) * SAMPLE_RATE_HZ)
    assert (tmp_path / "ring.ulaw").read_bytes() == mulaw.encode(pcm[max(0, end - 128_000) : end]).tobytes()


@pytest.mark.skipif(
    shutil.which("arm-none-eabi-g++") is None or shutil.which("qemu-system-arm") is None,
    reason="needs gcc-arm-none-eabi and qemu-system-arm",
)
def test_a_cortex_m4_equals_the_golden_vectors(
    model: ModelFolder, sources: Path, frontend: Path, tmp_path: Path
) -> None:
    cost = measure_cortex_m(sources, frontend, tmp_path)
    assert (cost["check"], cost["different"], cost["frames"], cost["outputs"]) == (0, 0, 1998, 25)
    assert cost["network_step"]["calls"] == 31
    assert cost["network_step"]["most"] < 1_000_000
    assert cost["front_end"]["most"] < 100_000
    assert max(cost[part]["stack_bytes"] for part in ("record", "front_end", "frame", "network_step")) < 1_024
    assert ("second_stage" in cost) is ("cascade" in model.manifest)
    if "second_stage" in cost:
        assert cost["second_stage"]["calls"] == 25
        assert cost["second_stage"]["mean"] > 10 * cost["network_step"]["mean"]
        assert cost["second_stage"]["stack_bytes"] < 1_024
    stored = json.loads(FIRMWARE_RESULTS.read_text(encoding="utf-8"))
    assert stored["network_bytes"] == cost["network_bytes"]


def test_the_loop_around_tensorflow_lite_micro_equals_the_golden_vectors(frontend: Path, tmp_path: Path) -> None:
    folder = ModelFolder.open(SHIPPED_DETECTOR, role="detector")
    export_firmware(folder, tmp_path / "dsp")
    # All of the stand-in lies in headers; a library has to be there.
    library = tmp_path / "libnothing.a"
    subprocess.run(["ar", "crs", library], check=True)
    configure = ["cmake", "-S", tmp_path / "dsp/example", "-B", tmp_path / "build", f"-DMICROFRONTEND={frontend}"]
    micro = [f"-DTFLM_INCLUDE={INCLUDE}", f"-DTFLM_LIBRARY={library}"]
    for wrong in ([micro[0], f"{micro[1]}.none"], ["-DTFLM_INCLUDE=/none", micro[1]]):
        done = subprocess.run([*configure, *wrong], capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert "found" in done.stderr
        assert wrong[0] == micro[0] or "TFLM_INCLUDE: expected a folder with" in done.stderr
    for command in ([*configure, *micro], ["cmake", "--build", tmp_path / "build", "--target", "listener_tflm"]):
        subprocess.run(command, check=True, capture_output=True)
    done = run_with_graphs(
        [tmp_path / "build/listener_tflm", "check"], [folder.file(MODEL_FILE), folder.file(SECOND_STAGE_FILE)]
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "1998 frames, 0 differ"
    assert [line.split(";")[0] for line in lines[1:]] == [
        f"{stage} stage: 25 outputs, 0 differ" for stage in ("first", "second")
    ]
    assert done.returncode == 0
