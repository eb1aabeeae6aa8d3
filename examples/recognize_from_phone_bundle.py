"""Name the song in a WAV file with nothing but the exported phone bundle, ai-edge-litert and NumPy.

A starting point for a port to another platform: every step is here, in its plainest form. The search compares the
query with every fingerprint of the database, which is fine for a few thousand songs; the bundle's coarse quantizer
makes it fast for more, and the acceptance model of the manifest turns the score into a probability.

    nowplaying export --out bundle --db music.npdb
    python examples/recognize_from_phone_bundle.py bundle/phone query.wav
"""

import json
import sqlite3
import sys
import wave
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter


class Graph:
    """A TFLite graph with one input and one output, which dequantizes and quantizes as the graph says."""

    def __init__(self, path: Path) -> None:
        self.interpreter = Interpreter(model_path=str(path), num_threads=1)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]
        self.output = self.interpreter.get_output_details()[0]

    def run(self, values: np.ndarray) -> np.ndarray:
        """Return the output for one input, in real numbers."""
        scale, zero = self.input["quantization"]
        if scale:
            values = np.clip(np.rint(values / scale) + zero, -128, 127).astype(np.int8)
        self.interpreter.set_tensor(self.input["index"], values)
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.output["index"])


def read_wav(path: str) -> np.ndarray:
    """Return the samples of a 16-bit mono WAV file at 16 kHz."""
    with wave.open(path) as sound:
        found = (sound.getframerate(), sound.getnchannels(), sound.getsampwidth())
        if found != (16_000, 1, 2):
            raise SystemExit(
                f"{path}: expected 16,000 Hz, 1 channel, 2 bytes a sample, found {found[0]:,} Hz, {found[1]}, {found[2]}; "
                f"convert it: ffmpeg -i {path} -ar 16000 -ac 1 -c:a pcm_s16le query-16k.wav"
            )
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float32) / 32_768


def fingerprints(samples: np.ndarray, folder: Path, hop_s: float) -> np.ndarray:
    """Return one unit vector for every hop of a recording."""
    front_end, encoder = Graph(folder / "frontend.tflite"), Graph(folder / "encoder.tflite")
    window = front_end.input["shape"][1]
    vectors = []
    for start in range(0, max(1, len(samples) - window + 1), round(16_000 * hop_s)):
        part = np.zeros((1, window), np.float32)
        part[0, : len(samples[start : start + window])] = samples[start : start + window]
        vector = encoder.run(front_end.run(part))[0]
        vectors.append(vector / np.linalg.norm(vector))
    return np.array(vectors)


def decoded(folder: Path, manifest: dict) -> tuple[np.ndarray, np.ndarray]:
    """Return every fingerprint of a database in song order, and where each song begins."""
    arrays = {
        role: np.load(folder / record["name"], allow_pickle=False)
        for role, record in manifest["files"].items()
        if record["name"].endswith(".npy")
    }
    # The cell of each fingerprint: one bit of it a row, recorded while sorting by that bit.
    n = manifest["n_fingerprints"]
    cells, order = np.zeros(n, np.int64), np.arange(n)
    for number, words in enumerate(arrays["order_bits"]):
        ones = np.unpackbits(words.view(np.uint8), bitorder="little")[:n].astype(bool)
        cells[order[ones]] |= 1 << number
        order = np.concatenate([order[~ones], order[ones]])
    codes = np.zeros((n, manifest["n_subspaces"]), np.uint8)
    codes[np.argsort(cells, kind="stable")[: manifest["n_codes"]]] = arrays["codes"]
    # A vector is its cell's centroid and the rotated residual that its code stands for, as one vector for each part of
    # the dimensions or as a sum of whole ones, whose numbers are whole steps; silence has no cell.
    is_whole = manifest.get("code_kind") == "residual"
    words = arrays["words"] * arrays["word_steps"][:, None, None] if is_whole else arrays["pq_centroids"]
    parts = [of_byte[codes[:, number]] for number, of_byte in enumerate(words)]
    sounding = cells < manifest["n_cells"]
    together = sum(parts) if is_whole else np.concatenate(parts, axis=1)
    vectors = together @ arrays["rotation"]
    vectors += arrays["centroids"][np.minimum(cells, manifest["n_cells"] - 1)]
    return vectors * sounding[:, None], arrays["song_starts"].astype(np.int64)


def main(bundle: str, sound: str) -> int:
    """Print the song that fits best, and where the recording begins in it."""
    models, packs = Path(bundle) / "models" / "fingerprinter", sorted((Path(bundle) / "packs").glob("*.npdb"))
    settings = json.loads((models / "manifest.json").read_text())
    hop_s, samples = settings["query_hop_s"], read_wav(sound)[: 8 * 16_000]
    # Windows of a short query may reach beyond its ends, silent there.
    is_short = len(samples) / 16_000 < settings.get("query_overhang_below_s", np.inf)
    beyond_s = settings.get("query_overhang_s", 0.0) if is_short else 0.0
    query = fingerprints(np.pad(samples, round(16_000 * beyond_s)), models, hop_s)
    best = (-np.inf, None, 0.0)
    for pack in packs:
        manifest = json.loads((pack / "manifest.json").read_text())
        vectors, starts = decoded(pack, manifest)
        similarities = query @ vectors.T
        with sqlite3.connect(pack / manifest["files"]["songs"]["name"]) as table:
            names = {row[0]: (row[1], row[2]) for row in table.execute("SELECT song_index, title, artist FROM songs")}
        for song, (title, artist) in names.items():
            own = similarities[:, starts[song] : starts[song + 1]]
            # Slide the query along the song and average the similarities of what then lies together.
            for offset in np.arange(-hop_s, own.shape[1] * manifest["hop_s"], hop_s):
                at = np.rint((offset - beyond_s + hop_s * np.arange(len(query))) / manifest["hop_s"]).astype(int)
                inside = (at >= 0) & (at < own.shape[1])
                if inside.sum() > len(query) / 2:
                    score = float(own[np.flatnonzero(inside), at[inside]].mean())
                    best = max(best, (score, f"{title} - {artist}", offset))
    score, name, offset = best
    print(f"{name} at {offset:.1f} s (mean similarity {score:.2f})")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    if not (Path(sys.argv[1]) / "packs").is_dir():
        raise SystemExit(f"{sys.argv[1]}: expected the folder phone of an export, with models and packs in it")
    sys.exit(main(sys.argv[1], sys.argv[2]))
