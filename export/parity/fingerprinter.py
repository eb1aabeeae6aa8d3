"""The fingerprinter: NumPy, Keras, LiteRT in float and in int8, on windows of music and through a database."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from export.operators import open_graph
from export.parity.layers import compare_graphs
from export.parity.numpy_graph import run_graph
from export.parity.report import ParityReport
from export.parity.sounds import Sounds, spread
from export.parity.subject import WEIGHTS
from fingerprinter.fingerprint import Fingerprinter, window_starts
from fingerprinter.mel import log_mel_reference
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.errors import ConfigError, ManifestMismatchError, MissingExtraError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["verify_fingerprinter"]

_SNRS_DB: Final = (10.0, 0.0)
_HOP_S: Final = 4.0
_KERAS_WINDOWS: Final = 48
_QUERY_S: Final = 4.0
_QUERIES_EACH: Final = 3
Vectors = NDArray[np.float32]


def verify_fingerprinter(
    model: ModelFolder,
    evaluated: ModelFolder | None,
    sounds: Sounds,
    report: ParityReport,
    *,
    half: ModelFolder | None = None,
) -> None:
    """Enter the figures of a fingerprinter.

    Parameters
    ----------
    model : ModelFolder
    evaluated : ModelFolder or None
        With its float weights.
    sounds : Sounds
    report : ParityReport
    half : ModelFolder or None
        The same with float16 weights.
    """
    shipped = Fingerprinter(model)
    if evaluated is None:
        report.left_out["fingerprinter in float"] = f"the float weights of {model.manifest['name']} are not here"
        return
    try:
        from export.float_reference import front_end_config, rebuilt_encoder, write_float_reference
        from fingerprinter.encoders.log_mel import LogMel
    except ImportError as error:
        report.left_out["fingerprinter in float"] = str(MissingExtraError("train", "the trained form", error))
        return
    weights = evaluated.path / WEIGHTS["fingerprinter"]
    windows = np.stack(list(_windows(sounds, shipped)))
    images = np.concatenate([shipped.front_end(window[None]) for window in windows])
    chosen = spread(len(windows), _KERAS_WINDOWS)
    config, detail = front_end_config(model.manifest), f"{len(chosen)} windows"
    by_keras = np.asarray(LogMel(config)(windows[chosen]))
    by_numpy = np.stack([log_mel_reference(window, config)[:, :, None] for window in windows[chosen]])
    report.add("front end, NumPy to Keras", np.abs(by_numpy - by_keras).max(), detail)
    report.add("front end, Keras to LiteRT", np.abs(by_keras - images[chosen]).max(), detail)
    with tempfile.TemporaryDirectory() as scratch:
        # Another conversion of the same weights: the encoder alone differs, the front end is the very file.
        float_reference = Fingerprinter(
            write_float_reference(model, weights, Path(scratch) / "float", precision="float32")
        )
        graph = float_reference.folder.file("encoder.tflite").read_bytes()
        by_litert = np.concatenate([float_reference.encode(image[None]) for image in images])
        trained = np.asarray(rebuilt_encoder(evaluated.manifest, weights)(images[chosen]))
        report.add("encoder, Keras to LiteRT in float", np.abs(trained - by_litert[chosen]).max(), detail)
        _compare_layers(model, graph, images[chosen], by_litert[chosen], report)
        by_int8 = np.concatenate([shipped.encode(image[None]) for image in images])
        cosines = np.sum(by_int8 * by_litert, axis=1)
        detail = f"{len(windows)} windows of {len(sounds.music)} pieces"
        report.add("int8 to float, mean cosine", cosines.mean(), detail)
        report.add("int8 to float, lowest cosine", cosines.min(), detail)
        if half is not None:
            variant = Fingerprinter(half)
            by_half = np.concatenate([variant.encode(image[None]) for image in images])
            report.add("float16 to float, lowest cosine", np.sum(by_half * by_litert, axis=1).min(), detail)
        _compare_answers(shipped, float_reference, evaluated, sounds, report)


def _windows(sounds: Sounds, model: Fingerprinter) -> Iterator[NDArray[np.float32]]:
    """Yield windows of every piece, clean and in noise."""
    for part in (*sounds.music, *(one for snr_db in _SNRS_DB for one in sounds.in_noise(snr_db))):
        for start in window_starts(part.size, model.window_samples, round(_HOP_S * SAMPLE_RATE_HZ)):
            yield part[start : start + model.window_samples]


def _compare_layers(
    model: ModelFolder, graph: bytes, images: Vectors, by_litert: Vectors, report: ParityReport
) -> None:
    """Run the float graph in NumPy, and hold both the runtime and the int8 graph's layers to it."""
    try:
        tensors = run_graph(graph, images)
    except ConfigError as error:
        report.left_out["encoder in NumPy"] = str(error)
        return
    rows = tensors[int(open_graph(graph)[1].outputs[0])]
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    report.add("encoder, NumPy to LiteRT in float", np.abs(unit - by_litert).max(), f"{len(images)} windows")
    path = model.file("encoder.tflite")
    if TfliteModel(path).input.dtype != np.int8:
        report.left_out["encoder by layer"] = f"the encoder is in {model.manifest.get('precision')}"
        return
    try:
        report.add_layers("encoder", compare_graphs(path, images, graph, tensors))
    except ManifestMismatchError as error:
        report.left_out["encoder by layer"] = str(error)


def _compare_answers(
    shipped: Fingerprinter, float_reference: Fingerprinter, evaluated: ModelFolder, sounds: Sounds, report: ParityReport
) -> None:
    """Ask one database, made of these recordings, what queries in noise are of, in int8 and in float."""
    from ondevice_db.index.choose_codebook import shipped_codebook
    from ondevice_db.ingest.ingest import index_paths
    from ondevice_db.lookup import acceptance_of
    from ondevice_db.match.matcher import Matcher
    from ondevice_db.store.store import SongDatabase

    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "verify.npdb"
        has_codebook = "codebook" in evaluated.manifest
        index_paths(
            [path.absolute() for path in sounds.paths],
            folder,
            shipped,
            layout="pq" if has_codebook else "flat",
            codebook=shipped_codebook(evaluated.path) if has_codebook else None,
        )
        songs = SongDatabase.open(folder, shipped.embedding_space)
        matcher = Matcher(songs, acceptance_of(shipped))
        numbers = {Path(songs.track(number).source).resolve(): number for number in range(songs.n_songs)}
        answers: dict[str, list[int]] = {"right": [], "int8": [], "float": []}
        for path, part in zip(sounds.paths, sounds.in_noise(0.0), strict=True):
            if path.resolve() not in numbers:  # the same recording under another name
                continue
            last = max(1, part.size - round(_QUERY_S * SAMPLE_RATE_HZ))
            for start in rng.integers(0, last, _QUERIES_EACH):
                query = part[start : start + round(_QUERY_S * SAMPLE_RATE_HZ)]
                answers["right"].append(numbers[path.resolve()])
                for name, embedder in (("int8", shipped), ("float", float_reference)):
                    found = embedder.embed_query(query, shipped.query_hop_s)
                    match = matcher.match(found.vectors, shipped.query_hop_s, first_s=found.first_s)
                    answers[name].append(match.candidates[0].song_index if match.candidates else -1)
    n, n_songs = len(answers["right"]), len(numbers)
    rates = {
        name: np.mean([one == right for one, right in zip(answers[name], answers["right"], strict=True)])
        for name in ("int8", "float")
    }
    agree = np.mean([one == two for one, two in zip(answers["int8"], answers["float"], strict=True)])
    detail = f"{n} queries of {_QUERY_S:g} s at 0 dB among {n_songs} songs"
    report.add("int8 and float agree on the song", agree, detail)
    right = f"right: {rates['float']:.1%} in float, {rates['int8']:.1%} in int8"
    report.add("top-1 lost by int8", rates["float"] - rates["int8"], right)
