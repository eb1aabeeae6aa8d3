"""Recognizers that answer an evaluation's queries out of sample, and what they accept."""

import json

from evaluation.model_card import METRICS_NAME
from evaluation.retrieval.calibration import half_acceptances
from evaluation.retrieval.evaluation_set import EvaluationSet
from ondevice_db.match.accept import Acceptance
from ondevice_db.recognizer import Recognizer
from ondevice_db.store.store import SongDatabase

__all__ = ["acceptances_of_halves", "recognizers_of_halves"]


def acceptances_of_halves(data: EvaluationSet) -> tuple[Acceptance, Acceptance]:
    """Return the acceptance models of an evaluation's fingerprinter that were fitted to half 0 and to half 1."""
    metrics = data.embeddings.fingerprinter.folder.path / METRICS_NAME
    return half_acceptances(json.loads(metrics.read_text(encoding="utf-8")))


def recognizers_of_halves(data: EvaluationSet) -> tuple[Recognizer, Recognizer]:
    """Return two recognizers of an evaluation's library, whose acceptance was fitted to half 0 and to half 1."""
    fingerprinter, database = data.embeddings.fingerprinter, SongDatabase.open(data.library.database)
    first, second = (Recognizer(database, fingerprinter, acceptance) for acceptance in acceptances_of_halves(data))
    return first, second
