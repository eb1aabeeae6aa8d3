"""The JavaScript reader, written from docs/pack-format.md alone: its answers are Python's."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.audio import load
from ondevice_db.format.manifest import manifest_digest
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.lookup import acceptance_of
from ondevice_db.match.accept import Acceptance
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import SongDatabase
from simulator.scenes.recordings import demo_recordings
from tests.android.golden_database import write_answers

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")

READER = Path(__file__).resolve().parents[2] / "examples" / "pack_reader_js" / "answer.mjs"
FIXTURE = Path(__file__).resolve().parents[1] / "ondevice_db" / "fixtures" / "v2" / "pq.npdb"


@pytest.fixture(scope="module")
def goldens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("goldens")
    write_answers(folder, Fingerprinter.from_model())
    return folder


def ask(database: Path, question: dict[str, Any], scratch: Path) -> subprocess.CompletedProcess[str]:
    (scratch / "question.json").write_text(json.dumps(question), encoding="utf-8")
    command = ["node", str(READER), str(database), str(scratch / "question.json")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("case", ["default", "probe", "few"])
@pytest.mark.parametrize(("name", "n_queries"), [("demo", 152), ("committed", 14), ("residual", 14)])
def test_answers_are_pythons(goldens: Path, tmp_path: Path, name: str, n_queries: int, case: str) -> None:
    golden = json.loads((goldens / f"{name}.json").read_text(encoding="utf-8"))
    probe, neighbors, candidates, _ = golden["options"][case]
    n_fingerprints = SongDatabase.open(goldens / f"{name}.npdb").manifest.n_fingerprints
    assert abs(Acceptance.from_dict(golden["acceptance"]).size_penalty(7, n_fingerprints)) > 0.1, "size is part of it"
    question = {
        **{key: golden[key] for key in ("embedding_space", "hop_s", "acceptance")},
        "options": {"probe": probe, "neighbors": neighbors, "candidates": candidates},
        "queries": np.load(goldens / f"{name}-queries.npy").tolist(),
    }
    done = ask(goldens / f"{name}.npdb", question, tmp_path)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(golden["answers"][case]) == n_queries
    n_accepted = 0
    for mine, theirs in zip(found, golden["answers"][case], strict=True):
        if not theirs["candidates"]:
            assert mine is None
            continue
        song, offset_s, raw_score, score, also = theirs["candidates"][0]
        assert (mine["song"], mine["also"]) == (song, also)
        assert (mine["song"] if mine["accepted"] else None) == theirs["best"]
        assert mine["offsetS"] == pytest.approx(offset_s, abs=1e-3)
        assert [mine["rawScore"], mine["score"], mine["threshold"]] == pytest.approx(
            [raw_score, score, theirs["threshold"]], abs=1e-5
        )
        assert mine["evidence"] == pytest.approx(theirs["evidence"], abs=1e-5)
        n_accepted += mine["accepted"]
    assert n_queries / 4 < n_accepted < n_queries


@pytest.mark.parametrize("first_s", [-0.7, -0.25])
def test_a_query_may_begin_before_its_first_sample(goldens: Path, tmp_path: Path, first_s: float) -> None:
    golden = json.loads((goldens / "demo.json").read_text(encoding="utf-8"))
    queries = np.load(goldens / "demo-queries.npy")[::8]
    question = {key: golden[key] for key in ("hop_s", "acceptance")}
    question |= {"options": {"firstS": first_s}, "queries": queries.tolist()}
    done = ask(goldens / "demo.npdb", question, tmp_path)
    assert done.returncode == 0, done.stderr
    matcher = Matcher(SongDatabase.open(goldens / "demo.npdb"), Acceptance.from_dict(golden["acceptance"]))
    n_accepted = 0
    for line, query in zip(done.stdout.splitlines(), queries, strict=True):
        mine, match = json.loads(line), matcher.match(query, golden["hop_s"], first_s=first_s)
        best = match.candidates[0]
        assert mine["song"] == best.song_index
        assert mine["offsetS"] == pytest.approx(best.offset_s, abs=1e-3)
        assert mine["score"] == pytest.approx(best.score, abs=1e-5)
        n_accepted += match.best is not None
    assert n_accepted >= 5


def test_copies_of_a_recording_are_one_answer(tmp_path: Path) -> None:
    fingerprinter = Fingerprinter.from_model()
    paths = [one.path for one in demo_recordings().values() if one.indexed][:3]
    rng = np.random.default_rng(1)
    for number, path in enumerate(paths):
        noisy = load(path) + 0.01 * rng.standard_normal(load(path).size)
        soundfile.write(tmp_path / f"copy-{number}.flac", noisy.clip(-1, 1), 16_000)
        with soundfile.SoundFile(tmp_path / f"later-{number}.flac", "w", 16_000, 1, "PCM_16", format="FLAC") as later:
            later.artist = "Somebody"
            later.write(noisy.clip(-1, 1)[4_000:])
    database = tmp_path / "copies.npdb"
    index_paths([*paths, *sorted(tmp_path.glob("*.flac"))], database, fingerprinter)
    songs = SongDatabase.open(database)
    queries = [fingerprinter.embed(load(path)[80_000:208_000], 0.5) for path in paths]
    matcher = Matcher(songs, acceptance_of(fingerprinter))
    question = {"hop_s": 0.5, "acceptance": acceptance_of(fingerprinter).to_dict()}
    done = ask(database, {**question, "queries": [query.tolist() for query in queries]}, tmp_path)
    assert done.returncode == 0, done.stderr
    for line, query in zip(done.stdout.splitlines(), queries, strict=True):
        mine, (best, *_) = json.loads(line), matcher.match(query, 0.5).candidates
        theirs = [best.song_index, *(one.song_index for one in best.also)]
        assert len(theirs) == 3
        assert {mine["song"], *mine["also"]} == set(theirs)
        if mine["title"] is not None:  # only node's SQLite knows the tags, which decide which copy is named
            assert [mine["song"], *mine["also"]] == theirs
        assert mine["score"] == pytest.approx(best.score, abs=1e-5)


def test_what_is_damaged_or_foreign_is_refused(goldens: Path, tmp_path: Path) -> None:
    question = {"hop_s": 0.5, "acceptance": {}, "queries": []}
    assert ask(goldens / "demo.npdb", question, tmp_path).returncode == 0
    foreign = ask(goldens / "demo.npdb", {**question, "embedding_space": "0" * 16}, tmp_path)
    assert foreign.returncode == 1
    assert "made for the encoder" in foreign.stderr
    for part in ("codes-*", "manifest.json"):
        shutil.copytree(goldens / "demo.npdb", tmp_path / "copy.npdb", dirs_exist_ok=True)
        (path,) = (tmp_path / "copy.npdb").glob(part)
        content = bytearray(path.read_bytes())
        content[-20] ^= 1
        path.write_bytes(content)
        damaged = ask(tmp_path / "copy.npdb", question, tmp_path)
        assert damaged.returncode == 1
        assert "Error" in damaged.stderr


def test_a_manifest_may_name_things_in_any_script(tmp_path: Path) -> None:
    database = Path(shutil.copytree(FIXTURE, tmp_path / "named.npdb"))
    manifest = json.loads((database / "manifest.json").read_text(encoding="utf-8"))
    manifest["encoder"] = 'Früher, 昔 🎵 "\x7f"'
    manifest["digest"] = manifest_digest(manifest)
    (database / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False), encoding="utf-8")
    done = ask(database, {"hop_s": 1.0, "acceptance": {}, "queries": []}, tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_bundles_golden_vectors_are_answered(tmp_path: Path) -> None:
    from export.bundle import export_bundle

    folder = export_bundle(tmp_path / "out", detector=SHIPPED_DETECTOR, fingerprinter=SHIPPED_FINGERPRINTER).path
    golden = json.loads((folder / "golden/golden.json").read_text(encoding="utf-8"))
    manifest = json.loads((folder / "phone/models/fingerprinter/manifest.json").read_text(encoding="utf-8"))
    question = {
        "hop_s": manifest["query_hop_s"],
        "acceptance": manifest["acceptance"],
        "options": {"firstS": golden["fingerprinter"]["first_s"]},
        "queries": [golden["fingerprinter"]["embeddings"]],
    }
    done = ask(folder / "golden" / golden["database"], question, tmp_path)
    assert done.returncode == 0, done.stderr
    found, expected = json.loads(done.stdout), golden["answer"]
    assert found["song"] == expected["song"]
    assert found["accepted"]
    assert found["offsetS"] == pytest.approx(expected["offset_s"], abs=1e-3)
    assert found["evidence"] == pytest.approx(expected["evidence"], abs=1e-5)
    assert found["score"] == pytest.approx(expected["score"], abs=1e-5)
