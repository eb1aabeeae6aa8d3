"""How files are damaged and forged: bits, bytes, array headers, SQL, and manifests whose hashes agree again."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from nowplaying_core.artifacts import file_record
from ondevice_db.format.manifest import MANIFEST_NAME, manifest_digest

__all__ = ["damage_bytes", "forge_manifest", "forged_array", "forged_statement"]

_INTEGERS = (-1, 0, 1, 2, 7, 255, 65_535, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**64, 10**30)
_VALUES: tuple[Any, ...] = (
    *_INTEGERS,
    *(None, True, "", "x", "1", [], {}, [1], 0.0, -1.5, 1e308, "../../etc/passwd", "/etc/passwd", "a" * 5000, "\0"),
)
_STATEMENTS = (
    "CREATE VIEW more AS SELECT * FROM songs",
    "CREATE TRIGGER t AFTER INSERT ON songs BEGIN DELETE FROM songs; END",
    "CREATE TABLE other (a)",
    "CREATE INDEX i ON songs (title)",
    "DROP TABLE songs",
    "ALTER TABLE songs ADD COLUMN more TEXT",
    "PRAGMA user_version = 7",
    "PRAGMA journal_mode = WAL",
    "PRAGMA page_size = 65536",
    "VACUUM",
    "DELETE FROM songs WHERE song_index = {n}",
    "UPDATE songs SET song_index = {big} WHERE song_index = {n}",
    "UPDATE songs SET song_index = -{big} WHERE song_index = {n}",
    "UPDATE songs SET {column} = zeroblob({size}) WHERE song_index = {n}",
    "UPDATE songs SET {column} = hex(zeroblob({size})) WHERE song_index = {n}",
    "UPDATE songs SET {column} = {big} WHERE song_index = {n}",
    "UPDATE songs SET {column} = 9e999 WHERE song_index = {n}",
    "UPDATE songs SET {column} = CAST(x'fffe00' AS TEXT) WHERE song_index = {n}",
    "UPDATE songs SET external_ids = '{{\"a\": {big}}}'",
    "UPDATE songs SET external_ids = '[[[['",
    "INSERT INTO songs SELECT song_index + 100, track_id, title, artist, album, duration_s, source, '{{}}' FROM songs",
    "PRAGMA writable_schema = ON",
    "UPDATE sqlite_master SET sql = 'CREATE TABLE songs (a)'",
    "UPDATE sqlite_master SET rootpage = {n}",
    "INSERT INTO sqlite_master SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master",
)
_COLUMNS = ("track_id", "title", "artist", "album", "duration_s", "source", "external_ids")


def damage_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    """Return other bytes: bits flipped, an end cut or added, a block zeroed, moved or replaced, or nothing at all."""
    damaged = bytearray(content)
    size = len(damaged)
    kind = int(rng.integers(9)) if size else 4
    # Half of the damage goes to the start, where headers are.
    reach = size if rng.random() < 0.5 else min(size, 200)
    if kind in {0, 1, 2}:
        for _ in range(int(rng.integers(1, 9))):
            damaged[rng.integers(reach)] ^= 1 << int(rng.integers(8))
    elif kind == 3:
        del damaged[rng.integers(size) :]
    elif kind == 4:
        damaged += rng.bytes(int(rng.integers(1, 5000)))
    elif kind == 5:
        start = int(rng.integers(size))
        damaged[start : start + int(rng.integers(1, 600))] = b""
    elif kind == 6:
        start = int(rng.integers(reach))
        end = min(size, start + int(rng.integers(1, 300)))
        damaged[start:end] = bytes(end - start) if rng.random() < 0.5 else b"\xff" * (end - start)
    elif kind == 7:
        start = int(rng.integers(reach)) // 4 * 4
        number = int(rng.choice([-1, 0, 1, 2**31 - 1, -(2**31), 65_536, size]))
        damaged[start : start + 4] = number.to_bytes(8, "little", signed=True)[:4]
    else:
        damaged = bytearray(rng.bytes(int(rng.integers(2 * size + 1))))
    return bytes(damaged)


def forged_array(path: Path, rng: np.random.Generator) -> bytes:
    """Return an ``.npy`` file of the same role with lies in its values, type, shape or header."""
    array = np.load(path)
    kind = int(rng.integers(6))
    if kind == 0:
        flat = array.reshape(-1).copy()
        places = rng.integers(flat.size, size=int(rng.integers(1, 6)))
        if flat.dtype.kind == "f":
            flat[places] = rng.choice([np.nan, np.inf, -np.inf, 0.0, 1e30, -5.0], places.size)
        else:
            flat[places] = rng.choice([0, 1, np.iinfo(flat.dtype).max, np.iinfo(flat.dtype).max // 2], places.size)
        array = flat.reshape(array.shape)
    elif kind == 1:
        array = array.astype(rng.choice(["<f8", "<i8", "|u1", "<u2", ">u4", "|S3"]))
    elif kind == 2:
        array = array[: rng.integers(array.shape[0])] if rng.random() < 0.5 else np.concatenate([array, array])
    elif kind == 3:
        array = np.asfortranarray(np.stack([array, array]))
    elif kind == 4:
        array = rng.permutation(array.reshape(-1)).reshape(array.shape)
    stream = BytesIO()
    np.save(stream, array)
    content = stream.getvalue()
    if kind == 5:
        shape = str(array.shape).encode()
        lie = rng.choice([b"(%d,)" % 10**30, b"(-1,)", b"(%d, 2)" % 2**62, b"()", b"(1,) + (2,)", b"__import__('os')"])
        content = content.replace(shape, bytes(lie)[: len(shape)].ljust(len(shape)), 1)
    return content


def forged_statement(rng: np.random.Generator) -> list[str]:
    """Return SQL that tampers with the table of songs."""
    chosen = [str(one) for one in rng.choice(_STATEMENTS, int(rng.integers(1, 3)), replace=False)]
    if any("sqlite_master" in one for one in chosen):
        chosen.insert(0, "PRAGMA writable_schema = ON")
    values = {
        "n": int(rng.integers(14)),
        "big": int(rng.choice([14, 2**31, 2**40, 2**62])),
        "size": int(rng.choice([1, 1200, 70_000, 3_000_000])),
        "column": str(rng.choice(_COLUMNS)),
    }
    return [one.format(**values) for one in chosen]


def forge_manifest(database: Path, role: str, rng: np.random.Generator | None) -> None:
    """Make a manifest agree with a file that was forged; with ``rng``, also change one of its values."""
    path = database / MANIFEST_NAME
    manifest: dict[str, Any] = json.loads(path.read_text())
    record = manifest["files"][role]
    record |= file_record(database / record["name"])
    if rng is not None:
        table = manifest if rng.random() < 0.6 else record
        name = str(rng.choice(sorted(set(table) - {"digest"})))
        value = _VALUES[int(rng.integers(len(_VALUES)))]
        if isinstance(table[name], int) and rng.random() < 0.5:
            value = table[name] + int(rng.choice([-1, 1, 2, 100]))
        table[name] = value
    manifest["digest"] = manifest_digest(manifest)
    path.write_text(json.dumps(manifest))
