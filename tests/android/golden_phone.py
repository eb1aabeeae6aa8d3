"""Golden runs of the phone: the loop on random input, and a whole evening from the microphone to the songs."""

import hashlib
import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np
import simpy

from detector.features import features_of
from detector.gate import GateConfig
from detector.network import StreamingNetwork
from detector.second_stage import SECOND_STAGE_FILE
from detector.stream import MODEL_FILE, StreamingDetector
from export.model_copies import copy_with_metadata
from export.stream_graph import streaming_graph
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER, builtin_model_dir, write_json
from nowplaying_core.audio import load, to_float32, to_int16
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel
from ondevice_db.answer import Match
from ondevice_db.format.arrays import save_array
from ondevice_db.format.track import Track
from ondevice_db.recognizer import Recognizer
from ondevice_db.store.store import SongDatabase
from simulator.phone.conditions import PhoneConditions
from simulator.phone.config import PhoneConfig
from simulator.phone.events import Answer, Event, MusicProbability
from simulator.phone.loop import PhoneLoop
from simulator.phone.phone import Phone
from simulator.scenes.recordings import demo_recordings
from simulator.scenes.scene import compose
from simulator.scenes.scripts import SCENES
from tests.detector.networks import SMALL, random_weights

__all__ = ["write_loop_goldens", "write_network_goldens", "write_phone_goldens"]

_RUNS: Final = 50
_ACTIONS: Final = 250
_ANSWER_S: Final = 0.37


def write_loop_goldens(folder: Path) -> None:
    """Write runs of the loop: its inputs with their times, and its events."""
    write_json(folder / "loop.json", {"runs": [_loop_run(np.random.default_rng([7, run])) for run in range(_RUNS)]})


class _RandomAnswers:
    """Answers from a random generator."""

    def __init__(self, rng: np.random.Generator, busy_s: float) -> None:
        self._rng = rng
        self.busy_s = busy_s
        self.given: list[list[float] | None] = []
        self.newest_s: list[float | None] = []

    def answer(self, now_s: float, newest_s: float | None = None) -> Answer:
        self.newest_s.append(newest_s)
        buffer_s = float(self._rng.integers(1, 801)) / 100
        if self._rng.random() < (0.4 if newest_s is None else 0.7):
            self.given.append([buffer_s])
            return Answer(buffer_s=buffer_s)
        duration_s = float(self._rng.choice([0.0, 30.0, 200.0, 4000.0]))
        offset_s = float(np.round(self._rng.uniform(-4, 150), 3))
        self.given.append([buffer_s, duration_s, offset_s])
        track = Track(track_id="0" * 16, duration_s=duration_s)
        return Answer(buffer_s=buffer_s, match=Match(track=track, offset_s=offset_s, score=1.0))

    def takes_s(self, answer: Answer) -> float:
        return self.busy_s


def _loop_run(rng: np.random.Generator) -> dict[str, Any]:
    gate = GateConfig(
        cool_down_s=float(rng.choice([0.0, 7.0, 60.0])),
        back_off_factor=float(rng.choice([1.0, 1.7])),
        longest_rest_s=90.0,
    )
    config = PhoneConfig(
        gate=gate,
        early_looks_s=((), (2.5,), (2.0, 5.0, 7.5))[int(rng.integers(3))],
        captures_afresh=bool(rng.random() < 0.2),
        skips_same_song=bool(rng.random() < 0.8),
        music_gap_s=3.3,
        rest_ends_after_gap_s=rng.choice(np.array([None, 0.0, 2.0])),
    )
    env = simpy.Environment()
    # A phone that neither rests nor takes time for an answer would ask without end.
    answers = _RandomAnswers(rng, float(rng.choice([0.0, 0.37, 3.0] if gate.cool_down_s else [0.37, 3.0])))
    events: list[list[Any]] = []

    def note(event: Event) -> None:
        fields = event.to_dict()
        events.append([event.time_s, event.kind, fields.get("to"), fields.get("reason")])

    loop = PhoneLoop(env, answers, config, note)
    loop.switch_on()
    actions: list[list[Any]] = []
    step, is_open, is_paused = 0, False, False
    for _ in range(_ACTIONS):
        step += int(rng.choice([0, 1, 64, 64, 64, 300, 2000]))
        time_s = step / 100
        _pass_to(env, time_s)
        choice = rng.random()
        if choice < 0.06:
            is_paused = True
            loop.pause("call")
            actions.append([time_s, "pause"])
        elif choice < 0.12 and is_paused:
            is_paused = False
            loop.resume()
            actions.append([time_s, "resume"])
        else:
            is_open = bool(rng.random() < 0.15) != is_open
            since_s = float(np.round(time_s - rng.uniform(0, 9), 2)) if is_open and rng.random() < 0.8 else None
            loop.update_gate(is_open=is_open, music_since_s=since_s)
            actions.append([time_s, "gate", is_open, since_s])
        _pass_to(env, time_s)
    loop.end_capture()
    _pass_to(env, step / 100 + 5)
    return {
        "settings": {
            "early_looks_s": list(config.early_looks_s),
            "captures_afresh": config.captures_afresh,
            "skips_same_song": config.skips_same_song,
            "music_gap_s": config.music_gap_s,
            "rest_ends_after_gap_s": config.rest_ends_after_gap_s,
            "busy_s": answers.busy_s,
            "gate": gate.to_dict(),
        },
        "actions": actions,
        "answers": answers.given,
        "newest_s": answers.newest_s,
        "end_s": step / 100 + 5,
        "events": events,
    }


def _pass_to(env: simpy.Environment, time_s: float) -> None:
    while env.peek() <= time_s + 1e-9:
        env.step()
    if time_s > env.now:
        env.run(until=time_s)


def write_network_goldens(folder: Path) -> None:
    """Write model folders, and the outputs of a detector with random weights over a recording."""
    models = folder / "models"
    shutil.rmtree(models, ignore_errors=True)
    for role, name in (("detector", SHIPPED_DETECTOR), ("fingerprinter", SHIPPED_FINGERPRINTER)):
        (models / role).mkdir(parents=True)
        for file in ("manifest.json", MODEL_FILE, SECOND_STAGE_FILE, "frontend.tflite", "encoder.tflite"):
            if (builtin_model_dir(name) / file).is_file():
                shutil.copy(builtin_model_dir(name) / file, models / role / file)
    shipped_fingerprinter = ModelFolder.open(SHIPPED_FINGERPRINTER, role="fingerprinter")
    copy_with_metadata(shipped_fingerprinter, models / "exported-fingerprinter", leave_out=("codebook",))
    network = SMALL
    graph = streaming_graph(network, random_weights(), description="nowplaying test 1.0.0")
    place = models / "random-detector"
    place.mkdir()
    (place / MODEL_FILE).write_bytes(graph)
    model = TfliteModel(place / MODEL_FILE, reference_kernels=True)
    shipped = ModelFolder.open(SHIPPED_DETECTOR, role="detector").manifest
    record = {"sha256": hashlib.sha256(graph).hexdigest(), "bytes": len(graph)}
    kept = {key: shipped[key] for key in ("kind", "schema_version", "role", "frontend", "gate")}
    tensors = {MODEL_FILE: model.tensors()}
    write_json(place / "manifest.json", {**kept, "name": place.name, "files": {MODEL_FILE: record}, "tensors": tensors})
    recording = next(iter(demo_recordings().values()))
    pcm = to_int16(load(recording.path))[: 25 * 16_000]
    pcm[10 * 16_000 : 19 * 16_000] = 0
    frames = features_of(pcm)
    # Three seconds of the network's own silence, which it is not run on again and again.
    frames = np.concatenate([frames, np.full((1500, network.n_channels), -128, np.int8), frames[:700]])
    outputs = StreamingNetwork(model).process(frames)
    save_array(folder / "network-frames.npy", frames)
    write_json(folder / "network.json", {"outputs": outputs})


def write_phone_goldens(folder: Path) -> None:
    """Write the evening's sound and its events; ``demo.npdb`` must be there."""
    fingerprinter = Fingerprinter.from_model(SHIPPED_FINGERPRINTER, reference_kernels=True)
    detector = StreamingDetector.from_model(SHIPPED_DETECTOR, reference_kernels=True)
    scene = SCENES["evening"]
    shipped = demo_recordings()
    recordings = {used: load(shipped[used].path) for used in {sound.recording for sound in scene.sounds}}
    pcm = to_int16(compose(scene, recordings, np.random.default_rng(1)))
    database = SongDatabase.open(folder / "demo.npdb")
    phone = Phone(
        detector,
        Recognizer(database, fingerprinter),
        PhoneConfig(gate=detector.gate_config),
        PhoneConditions(scene.conditions),
        answer_s=_ANSWER_S,
    )
    events = [_plain(event) for event in phone.run([to_float32(pcm)]) if not isinstance(event, MusicProbability)]
    save_array(folder / "phone-pcm.npy", pcm)
    songs = [{"song_index": index, **track.to_dict()} for index, track in database.songs]
    write_json(folder / "demo-songs.json", {"songs": songs})
    conditions = [[str(one.reason), one.start_s, one.end_s] for one in scene.conditions]
    write_json(folder / "phone.json", {"events": events, "conditions": conditions, "answer_s": _ANSWER_S})


def _plain(event: Event) -> dict[str, Any]:
    names = ("from", "to", "reason", "track_id", "title", "offset_s", "score", "buffer_s")
    fields = event.to_dict()
    kept = {name: fields[name] for name in names if name in fields}
    return {"time_s": event.time_s, "kind": event.kind, **kept}
