"""Recognizers that answer an evaluation's queries out of sample."""

import json

from evaluation.model_card import METRICS_NAME
from evaluation.retrieval.calibration import half_acceptances
from evaluation.retrieval.evaluation_set import EvaluationSet
from ondevice_db.recognizer import Recognizer
from ondevice_db.store.store import SongDatabase

__all__ = ["recognizers_of_halves"]


def recognizers_of_halves(data: EvaluationSet) -> tuple[Recognizer, Recognizer]:
    """Return two recognizers of an evaluation's library, whose acceptance was fitted to half 0 and to half 1."""
    fingerprinter, database = data.embeddings.fingerprinter, SongDatabase.open(data.library.database)
    metrics = json.loads((fingerprinter.folder.path / METRICS_NAME).read_text(encoding="utf-8"))
    first, second = (Recognizer(database, fingerprinter, acceptance) for acceptance in half_acceptances(metrics))
    return first, second
