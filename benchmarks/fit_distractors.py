"""Fit the statistics of synthetic distractors to real music: python -m benchmarks.fit_distractors MUSIC...

Whole songs are wanted, as excerpts hide their refrains. Decoded audio is kept in ``--cache-dir`` where one is given.
"""

import argparse
from pathlib import Path

import numpy as np

from evaluation.retrieval.distractor_fit import fit_statistics
from evaluation.retrieval.distractors import SHIPPED_STATISTICS
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.audio import SAMPLE_RATE_HZ, find_audio, load
from nowplaying_core.audio.cache import load_cached
from nowplaying_core.command import run_command
from nowplaying_core.errors import NowPlayingError
from ondevice_db.index.codebook_files import load_codebook
from ondevice_db.levels import SILENCE_DBFS


def main() -> None:
    """Fingerprint, fit, save, and print how near the distractors come."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("music", type=Path, nargs="+")
    parser.add_argument("--model", default=SHIPPED_FINGERPRINTER)
    parser.add_argument("--cache-dir", type=Path)
    parser.add_argument("--songs", type=int, default=400, help="most songs to use, chosen at random")
    parser.add_argument("--shortest-s", type=float, default=60.0, help="songs below this length are left out")
    parser.add_argument("--longest-s", type=float, default=300.0, help="songs are cut there")
    parser.add_argument("--vectors", type=Path, help="keep the fingerprints here, and read them where they are there")
    parser.add_argument("--description", default="", help="of the music, for the provenance")
    parser.add_argument("--out", type=Path, default=SHIPPED_STATISTICS)
    options = parser.parse_args()
    fingerprinter = Fingerprinter.from_model(options.model)
    if options.vectors and options.vectors.is_file():
        with np.load(options.vectors, allow_pickle=False) as stored:
            songs = np.split(stored["rows"], np.cumsum(stored["counts"])[:-1])
    else:
        songs = fingerprint_songs(options, fingerprinter)
        if options.vectors:
            np.savez(options.vectors, rows=np.concatenate(songs), counts=[len(song) for song in songs])
    hours = sum(map(len, songs)) * fingerprinter.reference_hop_s / 3600
    statistics = fit_statistics(
        songs,
        load_codebook(fingerprinter.folder.path),
        hop_s=fingerprinter.reference_hop_s,
        embedding_space=fingerprinter.embedding_space,
        provenance={"music": options.description, "hours": round(hours, 2), "model": fingerprinter.name},
    )
    statistics.save(options.out)
    for name in ("section_share", "section_s", "lag_correlation", "repeat_share", "repeat_noise", "clustering"):
        print(f"{name:26} {getattr(statistics, name):.3f}")
    for name, (real, synthetic) in statistics.provenance["real_and_synthetic"].items():
        print(f"{name:26} real {real:8.3f}  synthetic {synthetic:8.3f}")


def fingerprint_songs(options: argparse.Namespace, fingerprinter: Fingerprinter) -> list[np.ndarray]:
    """Return the fingerprints of songs that are long enough, zero for silence."""
    paths = find_audio(options.music)
    order = np.random.default_rng(0).permutation(len(paths))
    songs: list[np.ndarray] = []
    for number in order:
        if len(songs) == options.songs:
            break
        try:
            path = paths[number]
            samples = load_cached(path, options.cache_dir) if options.cache_dir else load(path)
        except NowPlayingError as error:
            print(error)
            continue
        if samples.size < options.shortest_s * SAMPLE_RATE_HZ:
            continue
        kept = samples[: round(options.longest_s * SAMPLE_RATE_HZ)]
        vectors, levels_dbfs = fingerprinter.embed_with_levels(kept, fingerprinter.reference_hop_s)
        songs.append(np.where((levels_dbfs <= SILENCE_DBFS)[:, None], np.float32(0), vectors))
    return songs


if __name__ == "__main__":
    run_command(main)
