"""Write the committed databases of ``fixtures`` again: ``python -m tests.ondevice_db.make_fixtures``.

Run it only when the format itself changes; `tests/ondevice_db/test_fixtures.py` guards that the committed files keep
opening. The queries and their expected answers stay as they are.
"""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from evaluation.endurance.trials import trial_database, trial_track
from ondevice_db.store.changes import describe_track, remove_tracks
from ondevice_db.update.signature import sign_database

__all__ = ["COMMITTED", "FIXTURES", "make_fixtures"]

FIXTURES = Path(__file__).parent / "fixtures" / "v2"
COMMITTED = {
    "pq": FIXTURES / "pq.npdb",
    "flat": FIXTURES / "flat.npdb",
    "residual": FIXTURES.parent / "v4" / "residual.npdb",
}


def make_fixtures() -> None:
    """Write all in generation 3, ``pq.npdb`` signed with a key that is thrown away."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    for name, path in COMMITTED.items():
        shutil.rmtree(path, ignore_errors=True)
        path.parent.mkdir(exist_ok=True)
        if name == "residual":
            trial_database(path, range(12), kind="residual")
        else:
            trial_database(path, range(12), name)
        remove_tracks(path, [trial_track(5).track_id])
        texts = {"title": "Früher, 昔", "album": "Then"}
        assert describe_track(path, trial_track(2).track_id, texts) == replace(trial_track(2), **texts)
    key = ec.generate_private_key(ec.SECP256R1())
    with tempfile.TemporaryDirectory() as folder:
        private = Path(folder) / "publisher.key"
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        sign_database(FIXTURES / "pq.npdb", private)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (FIXTURES / "publisher.pem").write_bytes(public)


if __name__ == "__main__":
    make_fixtures()
