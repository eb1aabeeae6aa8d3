"""Songs at other speeds: a record that turns too fast is higher and shorter, and each answer is counted once."""

import json
from pathlib import Path

import numpy as np
import pytest

from evaluation.experiments.speeds import SPEEDS, at_speed, changes, main, to_markdown
from nowplaying_core.audio import SAMPLE_RATE_HZ


@pytest.mark.parametrize("speed", [0.94, 1.06])
def test_a_fast_record_is_higher_and_shorter(speed: float) -> None:
    time_s = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    played = at_speed(np.sin(2 * np.pi * 1000 * time_s).astype(np.float32), speed=speed)
    assert played.size == pytest.approx(2 * SAMPLE_RATE_HZ / speed, abs=1)
    spectrum = np.abs(np.fft.rfft(played[SAMPLE_RATE_HZ // 2 :][:SAMPLE_RATE_HZ]))
    assert int(spectrum.argmax()) == round(1000 * speed)


def test_pitch_and_tempo_change_alone() -> None:
    samples = np.sin(2 * np.pi * 1000 * np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ).astype(np.float32)
    found = {one.name: one.apply(samples) for one in changes()}
    peaks = {name: int(np.abs(np.fft.rfft(part[8_000:24_000])).argmax()) for name, part in found.items()}
    assert peaks["pitch +68 cents"] == pytest.approx(1040, abs=2)
    assert found["pitch +68 cents"].size == samples.size
    assert peaks["tempo 1.04"] == pytest.approx(1000, abs=2)
    assert found["tempo 1.04"].size == pytest.approx(samples.size / 1.04, abs=1)
    np.testing.assert_array_equal(found["backwards"], samples[::-1])


def test_every_change_is_asked_and_unknown_music_has_no_right_name(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "speeds.json"
    main(["--corpus", str(corpus), "--cache-dir", str(tmp_path / "cache"), "--queries", "4", "--out", str(out)])
    result = json.loads(out.read_text(encoding="utf-8"))
    rows = {row["query"]: row for row in result["rows"]}
    assert {f"speed {speed:g}" for speed in SPEEDS} < set(rows)
    assert all(row["n"] == 4 for row in rows.values())
    assert "right" not in rows["unknown music"]["seven_speeds"]
    own = rows["speed 1"]
    assert own["one_speed"]["right"]["count"] + own["one_speed"]["wrong"] <= own["n"]
    # What was named at its own speed is named so with the option too.
    assert all(
        row["seven_speeds"]["right"]["count"] >= row["one_speed"]["right"]["count"]
        for row in rows.values()
        if "right" in row["one_speed"]
    )
    assert len(to_markdown(result).splitlines()) == 2 + len(rows)
