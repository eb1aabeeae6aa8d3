"""The grid of Singh et al. 2022 at its size: python -m evaluation.experiments.grid_at_scale --help.

The paper searches 25,000 clips of 30 s. Beside the development music, which is asked for, stand clips of other real
music, clips of rendered scores, and synthetic distractors (evaluation/retrieval/distractors.py) with the statistics of
that real music in the model's own space. Exhaustive search answers the shortest queries, codes and Annoy all of them.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evaluation.committed import ROOT, committed
from evaluation.retrieval.distractor_fit import fit_statistics
from evaluation.retrieval.distractors import SongStatistics
from evaluation.retrieval.embedding import EmbeddingCache
from evaluation.retrieval.grid import Beside, evaluate_grid
from evaluation.retrieval.grid_report import grid_to_markdown
from evaluation.retrieval.library import Library, grow_library
from evaluation.retrieval.report import percent
from evaluation.retrieval.same_music import SameMusic
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.find import find_audio
from nowplaying_core.command import run_command
from nowplaying_core.errors import ConfigError
from nowplaying_core.text import markdown_table
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.codebook_files import load_codebook

__all__ = ["Beyond", "clips_of", "committed_table", "main"]

_SEED = 17
_FIT_HOP_S = 1.0  # of the fingerprints that the distractors' statistics are fitted to
_SHORTEST_SHARE = 1 / 3  # of a clip; what is left of a song and shorter is no clip
RESULTS: Final = "evaluation/experiments/grid_at_scale.json"
_SNRS_DB: Final = (0.0, 5.0, 10.0, 15.0)
# Singh, Demuynck and Arora, "Attention-Based Audio Embeddings for Query-by-Example" (ISMIR 2022), tables 3, 5 and 7:
# top-1 in % at these ratios, in noise and in noise and rooms.
_PAPER: Final[Mapping[tuple[str, float], tuple[tuple[float, ...], tuple[float, ...]]]] = {
    ("segment", 0.96): ((76.8, 84.8, 87.4, 88.5), (60.3, 76.6, 81.3, 82.8)),
    ("segment", 2.0): ((82.7, 90.8, 93.2, 94.1), (66.4, 83.5, 86.9, 88.0)),
    ("segment", 3.0): ((83.9, 92.9, 94.6, 95.5), (67.9, 85.1, 88.2, 89.3)),
    ("segment", 5.0): ((85.8, 93.9, 94.7, 96.8), (69.5, 87.1, 90.5, 91.9)),
    ("song", 5.0): ((95.0, 98.7, 98.9, 99.2), (84.3, 96.8, 98.5, 98.9)),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Beyond:
    """What stands beside the development music.

    Attributes
    ----------
    real, rendered : tuple of Path
        Recordings that are cut into clips.
    n_references : int
        Songs and clips in all.
    clip_s : float, seconds
    folder : Path
        For the database.
    """

    real: tuple[Path, ...]
    rendered: tuple[Path, ...]
    n_references: int
    clip_s: float
    folder: Path

    def __call__(self, embeddings: EmbeddingCache, library: Library) -> Beside:
        """Put clips and distractors behind a library's songs."""
        music = SameMusic.among(library.paths, embeddings)
        whole = music.others(self.real, embeddings)
        if not whole:
            message = "references: expected real music beside the corpus, found none; give --real a folder of music"
            raise ConfigError(message)
        n_rows = round(self.clip_s / embeddings.reference_hop_s)
        clips = {
            "clips of other real music": clips_of(whole, n_rows),
            "of rendered scores": clips_of(music.others(self.rendered, embeddings), n_rows),
        }
        known = library.song_starts.size - 1
        n_distractors = self.n_references - known - sum(map(len, clips.values()))
        if n_distractors < 0:
            message = f"references: expected at most {self.n_references}, found {self.n_references - n_distractors}"
            raise ConfigError(message)
        codebook = load_codebook(embeddings.fingerprinter.folder.path)
        grown = grow_library(
            library,
            [clip for kind in clips.values() for clip in kind],
            n_distractors,
            self.folder / "grown.npdb",
            codebook,
            statistics=statistics_of(whole, codebook, embeddings),
            mean_duration_s=self.clip_s,
        )
        counts = {**{kind: len(found) for kind, found in clips.items()}, "synthetic": n_distractors}
        return Beside(grown, {kind: n for kind, n in counts.items() if n})


def clips_of(songs: Sequence[NDArray[np.float32]], n_rows: int) -> list[NDArray[np.float32]]:
    """Return songs cut into clips of so many fingerprints; a rest shorter than a third of that is left out."""
    parts = (song[start : start + n_rows] for song in songs for start in range(0, len(song), n_rows))
    return [part for part in parts if len(part) >= n_rows * _SHORTEST_SHARE and part.any()]


def statistics_of(
    songs: Sequence[NDArray[np.float32]], codebook: Codebook, embeddings: EmbeddingCache
) -> SongStatistics:
    """Return what distractors of the model's space and hop are drawn from.

    Fitted a second apart, where sections and refrains show. Between two of those fingerprints a walk is as near to the
    next at any hop, so that its correlation is a root of the one a second apart.
    """
    hop_s = embeddings.reference_hop_s
    step = round(_FIT_HOP_S / hop_s)
    fitted = fit_statistics(
        [song[::step] for song in songs],
        codebook,
        hop_s=step * hop_s,
        embedding_space=embeddings.fingerprinter.embedding_space,
        provenance={},
    )
    for name, (real, synthetic) in fitted.provenance["real_and_synthetic"].items():
        print(f"{name:26} real {real:8.3f}  synthetic {synthetic:8.3f}", flush=True)
    return replace(fitted, hop_s=hop_s, lag_correlation=fitted.lag_correlation ** (1 / step))


def drawn(folder: Path | None, n: int | None) -> tuple[Path, ...]:
    """Return the recordings of a folder, or so many of them, drawn with a fixed seed."""
    paths = [] if folder is None else sorted(find_audio([folder]))
    kept = np.random.default_rng(_SEED).permutation(len(paths))[:n]
    return tuple(paths[number] for number in sorted(kept))


def committed_table() -> str:
    """Return the published result beside the paper's figures."""
    result = committed(RESULTS)
    found = {(row["table"], row["snr_db"], row["length_s"], row["system"]): row for row in result["rows"]}
    tables = ("noise", "noise and room")
    rows = []
    for (level, length_s), paper in _PAPER.items():
        rows.append([f"{length_s:g} s", level, "the paper", *(f"{value:.1f}" for part in paper for value in part)])
        for system in ("majority, exact", "ours, pq"):
            cells = [found.get((table, snr_db, length_s, system)) for table in tables for snr_db in _SNRS_DB]
            if None not in cells:
                rows.append(
                    [f"{length_s:g} s", level, system, *(percent(cell[level]["rate"]) for cell in cells if cell)]
                )
    heads = ["query", "level", "system", *(f"{table}, {snr_db:g} dB" for table in tables for snr_db in _SNRS_DB)]
    n_dev = result["n_songs"] - sum(result["beside"].values())
    beside = ", ".join(f"{n:,} {kind}" for kind, n in result["beside"].items())
    return "\n".join(
        [
            f"`{result['model']}` among {result['n_songs']:,} references ({result['n_fingerprints']:,} fingerprints): "
            f"{n_dev} songs of the corpus, {beside}; top-1 in %, {result['n_queries']} dev queries a cell from "
            f"{result['n_tracks']} tracks.",
            "*segment* is an answer within 50 ms, half a hop; *majority, exact* is the paper's retrieval over floats, "
            "*ours, pq* our matcher over 16-byte codes.",
            "",
            markdown_table(heads, rows),
        ]
    )


def main() -> None:
    """Evaluate, and write the result as JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="fingerprinter-sync-v1")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--real", type=Path, required=True, help="folder of music that is none of the corpus")
    parser.add_argument("--real-songs", type=int, help="so many of them, drawn")
    parser.add_argument("--rendered-midi", type=Path)
    parser.add_argument("--rendered-songs", type=int, help="so many of them, drawn")
    parser.add_argument("--references", type=int, default=25_000)
    parser.add_argument("--clip-s", type=float, default=30.0)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="folder for the result")
    parser.add_argument("--publish", action="store_true", help="write the result where docs/accuracy.md is made from")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    beyond = Beyond(
        real=drawn(options.real, options.real_songs),
        rendered=drawn(options.rendered_midi, options.rendered_songs),
        n_references=options.references,
        clip_s=options.clip_s,
        folder=options.out,
    )
    result = evaluate_grid(
        "attention-qbe",
        options.model,
        options.corpus,
        options.cache_dir,
        n_queries=options.queries,
        grow=beyond,
        published_exact_to_s=1.0,
        jobs=options.jobs,
    )
    write_json(options.out / "grid_at_scale.json", result)
    if options.publish:
        write_json(ROOT / RESULTS, result)
    text = grid_to_markdown(result)
    (options.out / "grid_at_scale.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    run_command(main)
