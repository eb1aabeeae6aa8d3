import csv
import json
import re
from pathlib import Path

import pytest

from tests.simulator.energy.test_traces import N_ANSWERS, VOLTAGE_V, WAKE_J, write_traces

from .conftest import Run


def test_same_seed_same_day_and_parts_add_up(run: Run) -> None:
    (first,) = run("energy", "--days", "20", "--seed", "4", "--json").records
    (again,) = run("energy", "--days", "20", "--seed", "4", "--json").records
    (other,) = run("energy", "--days", "20", "--seed", "5", "--json").records
    provenances = [one.pop("provenance") for one in (first, again, other)]
    assert first == again != other
    assert provenances[0]["command"] == "nowplaying energy --days 20 --seed 4 --json"
    assert (provenances[2]["seed"], provenances[2]["n_days"]) == (5, 20)
    assert first["schema"] == "nowplaying/energy/2"
    published, modelled = first["published"], first["modelled"]
    assert sum(published["parts_mah"].values()) == pytest.approx(published["mah_per_day"])
    assert sum(modelled["components_mah"].values()) == pytest.approx(modelled["mah_per_day"])


def test_report_is_one_page_with_the_numbers_that_json_prints(run: Run, tmp_path: Path) -> None:
    options = ("--day", "quiet-home", "--days", "3", "--detail-days", "1", "--device", "phone-2026")
    done = run("energy", *options, "--json", "--report", tmp_path / "day.html")
    (record,) = done.records
    page = (tmp_path / "day.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert f"{record['modelled']['mah_per_day']:.2f}" in page
    # Nothing is fetched: addresses stand in links alone.
    assert "http://" not in page
    assert page.count("https://") == page.count('<a href="https://')
    beside = json.loads((tmp_path / "day.json").read_text(encoding="utf-8"))
    assert beside["summary"]["modelled"]["mah_per_day"] == record["modelled"]["mah_per_day"]
    with (tmp_path / "day.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 3
    mean_mah = sum(float(row["mah_modelled"]) * float(row["weight"]) for row in rows)
    assert mean_mah == pytest.approx(record["modelled"]["mah_per_day"], abs=1e-3)


def test_a_bigger_database_costs_more(run: Run) -> None:
    options = ("--day", "quiet-home", "--days", "3", "--json")
    small, large = (run("energy", *options, "--songs", songs).records[0] for songs in ("1000", "1000000"))
    assert small["day"] == "Quiet day at home"
    assert large["modelled"]["wake_j"] > small["modelled"]["wake_j"]
    microphone = [one["modelled"]["components_mah"]["microphone"] for one in (small, large)]
    assert microphone[0] == pytest.approx(microphone[1])


def test_measured_latencies_replace_the_estimate(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "phone.json"
    path.write_text('{"device": "x", "encoder.tflite": {"latency_metrics": {"avg_ms": 500.0}}}', encoding="utf-8")
    options = ("--day", "silence", "--days", "1", "--json")
    slow = run("energy", *options, "--latencies", path).records[0]
    assert slow["modelled"]["wake_j"] > run("energy", *options).records[0]["modelled"]["wake_j"] + 1.0
    path.write_text("{}", encoding="utf-8")
    done = run("energy", *options, "--latencies", path)
    assert done.code == 2
    assert "phone.json" in done.err


@pytest.mark.parametrize("arguments", [["--day", "nonsense"], ["--device", "nonsense"], ["--rates", "nonsense"]])
def test_unknown_names_are_usage_errors_that_list_the_known(run: Run, arguments: list[str]) -> None:
    done = run("energy", *arguments)
    assert done.code == 2
    assert "nonsense" in done.err
    assert any(known in done.err for known in ("average", "pixel-2", "measured"))


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["energy", "--device", "pixel-6", "figures"], "--device: expected after 'figures'"),
        (["energy", "--days", "7", "current"], "--days: expected after 'current'"),
        (["export", "--out", "bundle", "verify", "bundle"], "--out: expected after 'verify'"),
    ],
)
def test_options_that_a_command_would_not_get_are_refused(run: Run, arguments: list[str], option: str) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert option in done.err
    assert run("energy", "--quiet", "figures", "--device", "pixel-6").code == 0


def test_days_of_a_report_need_one(run: Run) -> None:
    done = run("energy", "--days", "7", "--detail-days", "7")
    assert (done.code, done.out) == (2, "")
    assert "--detail-days needs --report" in done.err


def test_songs_that_are_stated_already_are_refused(run: Run, tmp_path: Path) -> None:
    done = run("energy", "--songs", "5", "--set", "database.songs=7")
    assert (done.code, done.out) == (2, "")
    assert "--songs" in done.err
    own = tmp_path / "own.toml"
    own.write_text('schema_version = 1\n[set]\n"database.songs" = 7\n', encoding="utf-8")
    assert run("energy", "--songs", "5", "--study", own).code == 2
    assert run("energy", "--day", "silence", "--days", "1", "--set", "database.songs=7", "--study", own).code == 0


def test_components_have_every_unit_on_the_terminal(run: Run) -> None:
    done = run("energy", "--day", "office-worker", "--days", "12")
    assert done.code == 0
    lines = {line.split("  ")[0]: line.split() for line in done.out.partition("\nmAh per day")[0].splitlines()}
    for name in ("microphone", "features and buffer", "resume and suspend", "total"):
        mah, mwh, joules, microamperes = (float(text) for text in lines[name][len(name.split()) :][:4])
        assert mwh == pytest.approx(mah * 4.0, abs=0.01)
        assert joules == pytest.approx(mwh * 3.6, abs=0.06)
        assert microamperes == pytest.approx(1000 * mah / 24, abs=0.06)
    assert re.search(r"- Google Pixel 2: 0\.\d\d % of the battery a day \(95 % interval", done.out)


def test_an_average_needs_each_kind_of_day_and_gets_as_many_days_as_asked(run: Run, tmp_path: Path) -> None:
    for days in ("1", "3"):
        done = run("energy", "--days", days)
        assert (done.code, done.out) == (2, "")
        assert f"expected 7 days or more, found {days}" in done.err
    for days in (7, 11, 40):
        assert run("energy", "--days", str(days), "--json").records[0]["n_days"] == days
    done = run("energy", "--days", "7", "--detail-days", "2", "--report", tmp_path / "day.html")
    assert done.code == 2


def test_too_few_days_have_no_interval_and_say_so(run: Run) -> None:
    done = run("energy", "--days", "9", "--json")
    for figures in (done.records[0]["modelled"], done.records[0]["published"]):
        assert figures["mah_per_day_interval_95"] is None
        assert figures["battery_percent_interval_95"] is None
        assert figures["mah_per_day_p5_p95"] is None
    assert done.records[0]["wakes_per_day_interval_95"] is None
    text = run("energy", "--days", "9").out
    assert "9 days give no interval: at least ten independent days are needed" in text
    assert "95 % interval" not in text
    low, high = run("energy", "--days", "10", "--json").records[0]["modelled"]["mah_per_day_interval_95"]
    assert high - low > 0.1


def test_days_that_do_not_differ_have_no_interval_and_say_so(run: Run) -> None:
    done = run("energy", "--day", "silence", "--days", "50", "--json")
    for figures in (done.records[0]["modelled"], done.records[0]["published"]):
        assert figures["mah_per_day_interval_95"] is None
        assert figures["mah_per_day_p5_p95"] is None
    text = run("energy", "--day", "silence", "--days", "50").out
    assert "The 50 days cost the same" in text
    assert "95 % interval" not in text
    assert "The processor is never woken." in text


def test_an_empty_database_names_nothing(run: Run) -> None:
    done = run("energy", "--days", "20", "--songs", "0", "--json")
    songs = done.records[0]["songs"]
    assert (songs["in_database"], songs["named"], songs["wrong_names"]) == (0, 0, 0)
    assert done.records[0]["wakes_per_day"] > 30
    assert any("empty" in one for one in done.records[0]["remarks"])
    text = run("energy", "--days", "20", "--songs", "0")
    assert "No song of the database is played, so none is named." in text.out
    assert "The database is empty" in text.err


def test_a_small_database_names_fewer_songs(run: Run) -> None:
    named = [
        run("energy", "--days", "40", "--songs", songs, "--json").records[0]["songs"]["named"]
        for songs in ("1", "100", "10000")
    ]
    assert 0 < named[0] < 0.3 * named[1] < 0.3 * named[2]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--songs", "1000000000"], "10000000"),
        (["--songs", "-1"], "--songs"),
        (["--days", "0"], "--days"),
        (["--set", "battery.voltage_v=400"], "from 0.8 to 15 V, found 400 V"),
        (["--set", "battery.capacity_mah=0"], "from 1 to 100000 mAh"),
        (["--set", "processor.resume_j=-0.1"], "from 0 to 100 J"),
        (["--set", "days.known_share=1.5"], "from 0 to 1"),
        (["--set", "days.known_share=nan"], "from 0 to 1"),
        (["--set", "gate.cool_down_s=1e9"], "from 0 to 3600 s"),
        (["--set", "nothing=1"], "no figure is named 'nothing'"),
        (["--set", "gate.cool_down_s=1", "--set", "gate.cool_down_s=2"], "'gate.cool_down_s' twice"),
        (["--set", "published.wake_j=0.1"], "what was published stays as it is"),
        (["--set", "database.songs=5.5"], "whole number of songs, found 5.5"),
        (["--jobs", "99999"], "jobs: expected from 1 to 1024, found 99999"),
        (["--seed", "-1"], "--seed"),
        (["--days", "2000000"], "--days"),
        (["--detail-days", "3", "--report", "out.html"], "--detail-days: an average day is made of 7 kinds"),
        (["--set", "processor.resume_j"], "NAME=VALUE"),
        (["--device", "wearable-mcu", "--set", "radio.lte.tail_s=1"], "has no figure"),
        (["--report", "out.txt"], ".html"),
    ],
)
def test_inputs_that_cannot_be_are_refused_with_their_range(run: Run, arguments: list[str], reason: str) -> None:
    done = run("energy", *arguments)
    assert (done.code, done.out) == (2, "")
    assert reason in done.err.replace("\n", " ").replace("│", "")


def test_a_report_that_cannot_be_written_fails_before_the_days(run: Run) -> None:
    for option, path in (("--report", "/no/such/folder/out.html"), ("--write-template", "/no/such/folder/my.toml")):
        done = run("energy", option, path)
        assert (done.code, done.out) == (3, "")
        assert f"{path}: cannot be written" in done.err


def test_a_database_that_nobody_measured_is_remarked(run: Run) -> None:
    done = run("energy", "--day", "silence", "--days", "1", "--songs", "5000000")
    assert done.code == 0
    assert "No database of more than 300,000 songs was measured" in done.err
    assert "15.5 GB" in done.err


@pytest.mark.parametrize("device", ["pixel-3", "pixel-6", "phone-2026", "wearable-mcu"])
def test_no_cost_is_called_published_where_none_was(run: Run, device: str, tmp_path: Path) -> None:
    options = ("--day", "silence", "--days", "2", "--device", device)
    done = run("energy", *options, "--detail-days", "1", "--report", tmp_path / "day.html")
    assert "published cost" not in done.out
    assert "nobody published the energy of a wake-up" in done.err
    assert run("energy", *options, "--json").records[0]["published"] is None
    assert "were published for a wake-up on this device" not in (tmp_path / "day.html").read_text(encoding="utf-8")


def test_a_stated_figure_changes_the_day_and_is_named_in_the_report(run: Run, tmp_path: Path) -> None:
    options = ("--day", "office-worker", "--days", "3", "--json")
    (base,) = run("energy", *options).records
    page = tmp_path / "day.html"
    more = ("--set", "processor.resume_j=0.6", "--set", "dsp.detector_ma=0.2", "--detail-days", "1", "--report", page)
    (changed,) = run("energy", *options, *more).records
    assert changed["modelled"]["wake_j"] == pytest.approx(base["modelled"]["wake_j"] + 0.3)
    assert changed["modelled"]["parts_mah"]["detector"] < 0.6 * base["modelled"]["parts_mah"]["detector"]
    assert changed["provenance"]["changed"] == ["processor.resume_j=0.6", "dsp.detector_ma=0.2"]
    assert "stated with --set in place of 0.3" in page.read_text(encoding="utf-8")


def test_the_template_is_a_study_that_runs(run: Run, tmp_path: Path) -> None:
    template = tmp_path / "mine.toml"
    assert run("energy", "--write-template", template).code == 0
    assert run("energy", "--write-template", template).code == 2
    options = ("--study", template, "--days", "2", "--detail-days", "1", "--json", "--report", tmp_path / "day.html")
    (record,) = run("energy", *options).records
    assert record["day"] == "A day in the workshop"
    study = json.loads((tmp_path / "day.json").read_text(encoding="utf-8"))
    own = study["sweeps"][-1]
    assert own["title"] == "Charge over the always-on current and the cost of waking"
    assert (len(own["rows"]), len(own["columns"])) == (4, 3)
    # More current and dearer wake-ups cost more.
    assert all(row == sorted(row) for row in own["values"])
    assert [row[0] for row in own["values"]] == sorted(row[0] for row in own["values"])
    assert "workshop" in (tmp_path / "day.html").read_text(encoding="utf-8")
    both = run("energy", "--study", template, "--day", "commuter", "--days", "2")
    assert (both.code, both.out) == (2, "")
    assert "leave out the day 'commuter'" in both.err


@pytest.mark.parametrize(
    ("found", "changed", "reason"),
    [
        ('show = "mah"', 'show = "money"', "songs_named_percent"),
        ('rows = "dsp.detector_ma"', 'rows = "dsp.nothing"', "no figure is named"),
        ("row_values = [0.05,", "row_values = [-1,", "from 0 to 500 mA"),
        ("workshop = 6", "moon = 6", "known scenes"),
        ("jitter_h = 0.3", "jitter_h = 30", "jitter_h from 0 to 6"),
        ('"days.known_share" = 0.7', '"days.known_share" = 7', "from 0 to 1"),
        ("[scene.workshop]", "[places.workshop]", "schema_version 1"),
        ("music_share = 0.3", 'music_share = "much"', "expected numbers"),
    ],
)
def test_a_broken_study_file_is_refused(run: Run, tmp_path: Path, found: str, changed: str, reason: str) -> None:
    path = tmp_path / "mine.toml"
    run("energy", "--write-template", path)
    text = path.read_text(encoding="utf-8")
    assert found in text
    path.write_text(text.replace(found, changed), encoding="utf-8")
    done = run("energy", "--study", path, "--days", "1", "--detail-days", "1", "--report", tmp_path / "day.html")
    assert done.code == 2
    assert reason in done.err
    assert not (tmp_path / "day.html").exists()


def test_devices_are_listed_with_their_sources(run: Run) -> None:
    text = run("energy", "devices").out
    for expected in (
        "pixel-2: Google Pixel 2",
        "wearable-mcu",
        "published energy of a wake-up: 2 J",
        "arXiv:1711.10958",
    ):
        assert expected in text
    assert text.count("published energy of a wake-up: none") == 4
    records = run("energy", "devices", "--json").records
    assert [one["name"] for one in records] == ["phone-2026", "pixel-2", "pixel-3", "pixel-6", "wearable-mcu"]
    assert all(figure["source"] for one in records for figure in one["figures"].values())


def test_every_figure_that_can_be_stated_is_listed(run: Run) -> None:
    text = run("energy", "figures").out
    values = {line.split()[0]: line.split()[1] for line in text.splitlines()}
    assert (values["gate.cool_down_s"], values["recognizer.accepted"], values["database.songs"]) == ("60", "1", "10000")
    # What was published is listed with the devices, and cannot be stated otherwise.
    assert "published." not in text
    for expected in (
        "processor.resume_j",
        "days.known_share",
        "gate.cool_down_s",
        "0.8 to 15",
        "radio.lte.upload_mbps",
    ):
        assert expected in text


def test_traces_of_a_meter_become_a_profile_that_simulates(run: Run, tmp_path: Path) -> None:
    paths, out = write_traces(tmp_path), tmp_path / "mine.toml"
    traces = [part for kind, path in paths.items() for part in (f"--{kind}", path)]
    options = ("--answers", str(N_ANSWERS), "--voltage", str(VOLTAGE_V), "--device", "pixel-6", "--out", out)
    done = run("energy", "calibrate", *traces, *options, "--title", "My board")
    assert done.code == 0
    assert "a wake-up in addition, J" in done.out
    (record,) = run("energy", "--device", out, "--day", "office-worker", "--days", "3", "--json").records
    assert record["device"] == "mine"
    assert record["modelled"]["wake_j"] == pytest.approx(WAKE_J, rel=0.02)
    assert record["published"] is None


def test_the_detectors_current_by_what_there_is_to_hear(run: Run) -> None:
    records = run("energy", "current", "--days", "7", "--json").records
    assert [one["kind"] for one in records] == ["average day", "music", "other", "quiet"]
    for one in records:
        assert one["total_ma"] == pytest.approx(sum(one["parts_ma"].values()))
        assert one["low_ma"] < one["total_ma"] < one["high_ma"]
    average, music, _, quiet = (one["total_ma"] for one in records)
    assert quiet < average < music
    assert run("energy", "current", "--days", "6").code == 2
