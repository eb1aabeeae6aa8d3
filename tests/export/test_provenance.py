"""What a manifest says of the recordings behind a model."""

from pathlib import Path

from detector.training.folds import HeldOut
from export.provenance import describe_training
from nowplaying_core.audio.sources import TrainingSources
from tests.detector.sounds import corpus_folder


def test_what_a_training_left_out_is_not_among_its_data(tmp_path: Path) -> None:
    corpus = corpus_folder(tmp_path / "corpus", seconds=0.2)
    for table in corpus.glob("*.tsv"):
        lines = table.read_text(encoding="utf-8").splitlines()
        rows = [line.split("\t") for line in lines]
        own = ["\t".join([*row[:3], f"source {number}", *row[4:]]) for number, row in enumerate(rows[1:])]
        table.write_text("\n".join([lines[0], *own]) + "\n", encoding="utf-8")
    sources = TrainingSources(corpus=corpus, cache_dir=tmp_path)
    whole = describe_training(tmp_path, sources)["data"]
    held_out = [HeldOut(fold=fold, n_folds=2) for fold in (0, 1)]
    parts = [describe_training(tmp_path, sources, learned=one.learned)["data"] for one in held_out]
    for group, described in whole.items():
        assert described["n_files"] == 2
        assert described["sources"] == ["source 0", "source 1"]
        assert [one[group]["n_files"] for one in parts] == [1, 1]
        assert sorted(source for one in parts for source in one[group]["sources"]) == described["sources"]
