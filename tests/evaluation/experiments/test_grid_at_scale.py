"""What stands beside the development music in a collection as large as a paper's."""

from pathlib import Path

import numpy as np
import pytest

from evaluation.experiments import grid_at_scale
from evaluation.experiments.grid_at_scale import Beyond, clips_of, drawn
from evaluation.retrieval.embedding import EmbeddingCache
from evaluation.retrieval.evaluation_set import index_corpus
from evaluation.retrieval.same_music import SameMusic
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.errors import ConfigError
from ondevice_db.index.normalize import l2_normalize


def test_songs_are_cut_into_clips_and_short_rests_left_out() -> None:
    songs = [np.ones((65, 4), np.float32), np.ones((50, 4), np.float32), np.zeros((30, 4), np.float32)]
    assert [len(clip) for clip in clips_of(songs, 30)] == [30, 30, 30, 20]


def test_what_is_drawn_is_the_same_again_and_all_without_a_number(corpus: Path) -> None:
    few = drawn(corpus / "music", 3)
    assert few == drawn(corpus / "music", 3)
    assert list(few) == sorted(few)
    assert set(few) < set(drawn(corpus / "music", None))
    assert drawn(None, 3) == ()


def test_a_collection_is_filled_up_with_distractors_of_the_models_own_space(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    embeddings = EmbeddingCache(SHIPPED_FINGERPRINTER, tmp_path, reference_hop_s=0.5, query_hop_s=0.5)
    library = index_corpus(corpus, embeddings, tmp_path)
    known, spread = library.song_starts.size - 1, library.vectors[rng.integers(len(library.vectors), size=(24, 130))]
    songs = [l2_normalize(rows + 0.1 * rng.standard_normal(rows.shape, np.float32)) for rows in spread]
    monkeypatch.setattr(SameMusic, "others", lambda _, paths, __: songs if paths else [])
    monkeypatch.setattr("evaluation.retrieval.distractor_fit._BISECTIONS", 2)
    beyond = Beyond(real=(Path("song"),), rendered=(), n_references=known + 72 + 64, clip_s=25.0, folder=tmp_path)
    beside = beyond(embeddings, library)
    assert beside.counts == {"clips of other real music": 72, "synthetic": 64}
    lengths = np.diff(beside.library.song_starts)
    assert lengths.size == known + 72 + 64
    assert lengths[known : known + 3].tolist() == [50, 50, 30]
    assert lengths[-64:].mean() == pytest.approx(50, rel=0.2)
    np.testing.assert_array_equal(beside.library.groups[:known], library.groups)


def test_without_real_music_or_with_too_much_it_is_refused(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embeddings = EmbeddingCache(SHIPPED_FINGERPRINTER, tmp_path, reference_hop_s=0.5, query_hop_s=0.5)
    library = index_corpus(corpus, embeddings, tmp_path)
    nothing = Beyond(real=(), rendered=(), n_references=100, clip_s=25.0, folder=tmp_path)
    with pytest.raises(ConfigError, match="give --real a folder of music"):
        nothing(embeddings, library)
    monkeypatch.setattr(SameMusic, "others", lambda *_: [library.vectors])
    with pytest.raises(ConfigError, match="expected at most 3, found"):
        Beyond(real=(Path("song"),), rendered=(), n_references=3, clip_s=5.0, folder=tmp_path)(embeddings, library)
    assert not (tmp_path / "grown.npdb").exists()


def test_the_table_has_our_row_behind_each_of_the_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"table": table, "snr_db": snr_db, "length_s": 5.0, "system": "ours, pq"}
        | {"song": {"rate": 0.96}, "segment": {"rate": 0.5}}
        for table in ("noise", "noise and room")
        for snr_db in (0.0, 5.0, 10.0, 15.0)
    ]
    sizes = {"n_songs": 1000, "n_fingerprints": 9000, "n_queries": 200, "n_tracks": 9, "beside": {"drawn": 300}}
    monkeypatch.setattr(grid_at_scale, "committed", lambda _: {"model": "one", "rows": rows, **sizes})
    text = grid_at_scale.committed_table()
    assert "among 1,000 references (9,000 fingerprints): 700 songs of the corpus, 300 drawn" in text
    table = [line for line in text.splitlines() if line.startswith("| 5 s | song")]
    assert table[0].startswith("| 5 s | song | the paper | 95.0 |")
    assert table[1:] == ["| 5 s | song | ours, pq |" + " 96.0 |" * 8]
    assert sum("| the paper |" in line for line in text.splitlines()) == 5
    assert sum("| ours, pq |" in line for line in text.splitlines()) == 2
