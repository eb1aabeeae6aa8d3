"""Train the encoder: resumable, seeded, logged; the same code on the TensorFlow and the JAX backend of Keras."""

import csv
import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from fingerprinter.augment.chain import Degrader
from fingerprinter.augment.rooms import simulated_rooms, stack_rooms
from fingerprinter.encoder import build_encoder
from fingerprinter.logmel import LogMel
from fingerprinter.objective import nt_xent
from fingerprinter.pairs import PairSampler, Recordings
from fingerprinter.training_config import TrainingConfig
from nowplaying.artifacts import write_atomic, write_json
from nowplaying.audio import find_audio, to_int16
from nowplaying.audio.cache import load_cached
from nowplaying.audio.corpus import read_corpus
from nowplaying.errors import ConfigError

__all__ = ["build_training_model", "load_recordings", "train", "write_calibration"]

_log = logging.getLogger(__name__)
_QUEUE_LENGTH = 3
_CALIBRATION_PAIRS = 128
_CALIBRATION_STREAM = 2**31  # no training step has this number


def build_training_model(config: TrainingConfig) -> keras.Model:
    """Return the model from windows of samples to unit vectors, uncompiled; its layer "encoder" is what ships."""
    samples = keras.Input((config.front_end.window_samples,), name="samples")
    image = LogMel(config.front_end, name="log_mel")(samples)
    return keras.Model(samples, build_encoder(config.encoder, config.front_end)(image), name="fingerprinter")


def load_recordings(corpus: Path, group: Any, split: str | None, cache_dir: Path, *, min_s: float = 0.0) -> Recordings:
    """Decode one group of a corpus into memory, through the cache."""
    files = read_corpus(corpus, group, split)
    decoded = [to_int16(load_cached(file.path, cache_dir)) for file in files]
    return Recordings.join(decoded, min_samples=round(min_s * 16_000))


def train(
    config: TrainingConfig,
    *,
    corpus: Path,
    run_dir: Path,
    cache_dir: Path,
    renderings: Path | None = None,
    report: Callable[[str], None] = _log.info,
) -> Path:
    """Train to the end of the schedule, resuming from the run's last checkpoint.

    Parameters
    ----------
    config : TrainingConfig
    corpus : Path
        Folder with ``music``, ``noise``, ``speech`` and ``rir`` tables, of which the ``train`` split is used; and the
        ``dev`` split for validation only.
    run_dir : Path
        Receives ``config.json``, ``calibration.npy``, ``checkpoint.weights.h5`` with ``checkpoint.json``, ``log.csv``
        and at the end ``encoder.weights.h5``.
    cache_dir : Path
        For decoded audio and simulated rooms.
    renderings : Path, optional
        Folder of further music, such as rendered MIDI.
    report : callable
        Receives one line of progress at a time.

    Returns
    -------
    Path
        The encoder's final weights.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    write_json(run_dir / "config.json", config.to_dict())
    sampler = _build_sampler(config, corpus, cache_dir, renderings, report)
    write_calibration(config, sampler, run_dir)
    model, first_step = _resume(config, run_dir, report)
    validate = _Validation(config, corpus, cache_dir)
    labels = np.zeros((2 * config.pairs_per_step, 1), np.float32)
    started = time.monotonic()
    losses: list[float] = []
    for step, batch in _prefetch(sampler, config, first_step):
        model.optimizer.learning_rate = learning_rate(config, step)
        losses.append(float(model.train_on_batch(batch, labels)))
        done = step + 1
        if done % config.checkpoint_every == 0 or done == config.n_steps:
            row: dict[str, float] = {"step": done, "loss": float(np.mean(losses))}
            losses.clear()
            if done % config.validate_every == 0 or done == config.n_steps:
                row["dev_top1"] = validate(model)
            row["seconds_per_step"] = (time.monotonic() - started) / (done - first_step)
            _append_csv(run_dir / "log.csv", row)
            report(json.dumps(row))
            _checkpoint(model, run_dir, done)
    weights = run_dir / "encoder.weights.h5"
    model.get_layer("encoder").save_weights(weights)
    return weights


def write_calibration(config: TrainingConfig, sampler: PairSampler, run_dir: Path) -> Path:
    """Write the log-mel images that set the int8 ranges at export: drawn once, so that exporting twice is the same.

    Returns
    -------
    Path
        ``calibration.npy``, float32, shape (2 _CALIBRATION_PAIRS, n_mels, n_frames, 1): clean and degraded windows.
    """
    path = run_dir / "calibration.npy"
    if not path.exists():
        windows = sampler.draw(_CALIBRATION_PAIRS, np.random.default_rng([config.seed, _CALIBRATION_STREAM]))
        images = np.asarray(LogMel(config.front_end)(windows), np.float32)
        write_atomic(path, lambda temporary: _save_array(temporary, images))
    return path


def _save_array(path: Path, array: NDArray[np.float32]) -> None:
    with path.open("wb") as handle:
        np.save(handle, array, allow_pickle=False)


def learning_rate(config: TrainingConfig, step: int) -> float:
    """Return the rate of a step: linear warm-up, then cosine to zero."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    progress = (step - config.warmup_steps) / max(1, config.n_steps - config.warmup_steps)
    return config.learning_rate * 0.5 * (1.0 + float(np.cos(np.pi * progress)))


def _build_sampler(
    config: TrainingConfig, corpus: Path, cache_dir: Path, renderings: Path | None, report: Callable[[str], None]
) -> PairSampler:
    past = round(config.past_s * config.front_end.sample_rate_hz)
    window = config.front_end.window_samples
    min_s = config.front_end.window_s
    groups = [(load_recordings(corpus, "music", "train", cache_dir, min_s=min_s), config.recordings_share)]
    if renderings is not None:
        decoded = [to_int16(load_cached(path, cache_dir)) for path in find_audio([renderings])]
        groups.append((Recordings.join(decoded, min_samples=window), 1.0 - config.recordings_share))
    noises = [
        (load_recordings(corpus, "noise", "train", cache_dir, min_s=0.2), config.noise_share),
        (load_recordings(corpus, "speech", "train", cache_dir, min_s=0.2), 1.0 - config.noise_share),
    ]
    rooms = [load_cached(file.path, cache_dir) for file in read_corpus(corpus, "rir", "train")]
    for name, items in (("music", groups), ("noise", noises)):
        report(f"{name}: " + ", ".join(f"{len(item)} recordings, {item.hours:.1f} h" for item, _ in items))
    degrader = Degrader(
        config.augment,
        measured_rooms=stack_rooms(rooms, past) if rooms else np.zeros((0, past), np.float32),
        simulated_rooms=simulated_rooms(
            config.n_simulated_rooms, n_samples=past, seed=config.seed, cache_dir=cache_dir / "rooms"
        ),
        past_samples=past,
        window_samples=window,
    )
    return PairSampler(groups, noises, degrader, max_shift_s=config.max_shift_s)


def _resume(config: TrainingConfig, run_dir: Path, report: Callable[[str], None]) -> tuple[keras.Model, int]:
    keras.utils.set_random_seed(config.seed)
    model = build_training_model(config)
    temperature = config.temperature
    model.compile(
        keras.optimizers.Adam(config.learning_rate),
        loss=lambda _, embeddings: nt_xent(embeddings, temperature),
        jit_compile="auto" if keras.config.backend() == "jax" else False,  # XLA is far slower on a CPU
    )
    model.optimizer.build(model.trainable_variables)
    weights, state = run_dir / "checkpoint.weights.h5", run_dir / "checkpoint.json"
    if not (weights.exists() and state.exists()):
        return model, 0
    step = int(json.loads(state.read_text(encoding="utf-8"))["step"])
    if step >= config.n_steps:
        message = f"{run_dir}: this run has reached its {config.n_steps} steps; choose another run folder"
        raise ConfigError(message)
    model.load_weights(weights)  # a compiled model's weights file holds the optimizer's state as well
    report(f"resuming at step {step}")
    return model, step


def _checkpoint(model: keras.Model, run_dir: Path, step: int) -> None:
    temporary = run_dir / "writing.weights.h5"
    model.save_weights(temporary)
    temporary.replace(run_dir / "checkpoint.weights.h5")
    write_json(run_dir / "checkpoint.json", {"step": step})


def _prefetch(
    sampler: PairSampler, config: TrainingConfig, first_step: int
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Draw batches in a second thread; step k always sees the same batch, so a resumed run goes on as it was."""
    batches: queue.Queue[tuple[int, NDArray[np.float32]] | BaseException] = queue.Queue(_QUEUE_LENGTH)

    def fill() -> None:
        try:
            for step in range(first_step, config.n_steps):
                rng = np.random.default_rng([config.seed, step])
                batches.put((step, sampler.draw(config.pairs_per_step, rng)))
        except BaseException as error:  # noqa: BLE001  # handed to the training thread, which raises it
            batches.put(error)

    threading.Thread(target=fill, daemon=True).start()
    for _ in range(first_step, config.n_steps):
        item = batches.get()
        if isinstance(item, BaseException):
            raise item
        yield item


class _Validation:
    """Song-level top-1 of single 2 s queries from ``dev`` music at 0 dB in rooms, exact search; for the log only."""

    def __init__(self, config: TrainingConfig, corpus: Path, cache_dir: Path, n_queries: int = 400) -> None:
        past = round(config.past_s * 16_000)
        window = config.front_end.window_samples
        self.music = load_recordings(corpus, "music", "dev", cache_dir, min_s=config.front_end.window_s)
        noises = [
            (load_recordings(corpus, "noise", "dev", cache_dir, min_s=0.2), 0.6),
            (load_recordings(corpus, "speech", "dev", cache_dir, min_s=0.2), 0.4),
        ]
        from fingerprinter.augment.chain import AugmentConfig

        hard = AugmentConfig(snr_db=(0.0, 0.0), p_noise=1.0, p_room=1.0, p_measured=0.0, p_gap=0.0, p_mulaw=1.0)
        rooms = simulated_rooms(60, n_samples=past, seed=2**31, cache_dir=cache_dir / "rooms")
        degrader = Degrader(
            hard,
            measured_rooms=np.zeros((0, past), np.float32),
            simulated_rooms=rooms,
            past_samples=past,
            window_samples=window,
        )
        sampler = PairSampler([(self.music, 1.0)], noises, degrader, max_shift_s=0.0)
        rng = np.random.default_rng(0)
        places = rng.integers(len(self.music), size=n_queries)
        shifted, noise = [], []
        for index in places:
            length = int(self.music.starts[index + 1] - self.music.starts[index])
            start = int(rng.integers(max(1, length - window)))
            shifted.append(self.music.cut(int(index), start - past, past + window))
            noise.append(sampler._draw_noise(past + window, rng))  # noqa: SLF001
        self.queries, _ = degrader.degrade(np.stack(shifted), np.stack(noise), rng)
        self.truth = places

    def __call__(self, model: keras.Model) -> float:
        window = self.queries.shape[1]
        references, songs = [], []
        for index in range(len(self.music)):
            length = int(self.music.starts[index + 1] - self.music.starts[index])
            for start in range(0, max(1, length - window + 1), 16_000):
                references.append(self.music.cut(index, start, window))
                songs.append(index)
        vectors = _predict(model, np.stack(references))
        queries = _predict(model, self.queries)
        found = np.array(songs)[np.argmax(queries @ vectors.T, axis=1)]
        return float(np.mean(found == self.truth))


def _predict(model: keras.Model, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    parts = [np.asarray(model.predict_on_batch(samples[at : at + 256])) for at in range(0, len(samples), 256)]
    return np.concatenate(parts).astype(np.float32)


def _append_csv(path: Path, row: dict[str, float]) -> None:
    columns = ("step", "loss", "dev_top1", "seconds_per_step")
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, columns)
        if new:
            writer.writeheader()
        writer.writerow(row)
