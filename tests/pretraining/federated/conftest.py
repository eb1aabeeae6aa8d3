import os
from importlib.util import find_spec

import pytest

from nowplaying_core.audio.sources import TrainingSources

# Flower asks for other versions of some packages than the rest. Where no test may be skipped, as in CI, its tests run
# in an environment of their own (.ci/check_federated).
_WITH_FLOWER = ["test_privacy.py", "test_rounds.py", "test_server.py"]
collect_ignore = _WITH_FLOWER if os.environ.get("NO_SKIPS") and not find_spec("flwr") else []


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> TrainingSources:
    """Return a corpus of a few seconds a file."""
    from tests.detector.sounds import corpus_folder

    root = tmp_path_factory.mktemp("federation")
    return TrainingSources(corpus=corpus_folder(root / "corpus", seconds=3.0), cache_dir=root / "cache")
