"""The grid of Singh et al. 2022 at its size: python -m evaluation.experiments.grid_at_scale --help.

The paper searches 25,000 clips of 30 s. Beside the development music, which is asked for, stand clips of other real
music, clips of rendered scores, and synthetic distractors (evaluation/retrieval/distractors.py) with the statistics of
that real music in the model's own space. Exhaustive search answers the shortest queries, codes and Annoy all of them.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.distractor_fit import fit_statistics
from evaluation.retrieval.distractors import SongStatistics
from evaluation.retrieval.embedding import EmbeddingCache
from evaluation.retrieval.grid import Beside, evaluate_grid
from evaluation.retrieval.grid_report import grid_to_markdown
from evaluation.retrieval.library import Library, grow_library
from evaluation.retrieval.same_music import SameMusic
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.find import find_audio
from nowplaying_core.errors import ConfigError
from ondevice_db.index.codebook import Codebook

__all__ = ["Beyond", "clips_of", "main"]

_SEED = 17
_FIT_HOP_S = 1.0  # of the fingerprints that the distractors' statistics are fitted to
_SHORTEST_SHARE = 1 / 3  # of a clip; what is left of a song and shorter is no clip


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
        whole = self._new_songs(self.real, embeddings, music)
        if not whole:
            message = "references: expected real music beside the corpus, found none; give --real a folder of music"
            raise ConfigError(message)
        n_rows = round(self.clip_s / embeddings.reference_hop_s)
        clips = {
            "clips of other real music": clips_of(whole, n_rows),
            "of rendered scores": clips_of(self._new_songs(self.rendered, embeddings, music), n_rows),
        }
        known = library.song_starts.size - 1
        n_distractors = self.n_references - known - sum(map(len, clips.values()))
        if n_distractors < 0:
            message = f"references: expected at most {self.n_references}, found {self.n_references - n_distractors}"
            raise ConfigError(message)
        codebook = Codebook.load(embeddings.fingerprinter.folder.path)
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

    @staticmethod
    def _new_songs(paths: Sequence[Path], embeddings: EmbeddingCache, music: SameMusic) -> list[NDArray[np.float32]]:
        if not paths:
            return []
        new = [rows.any() and not music.find(rows) for rows in embeddings.shipped().references(paths)]
        return [rows for rows, is_new in zip(embeddings.references(paths), new, strict=True) if is_new]


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
    text = grid_to_markdown(result)
    (options.out / "grid_at_scale.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
