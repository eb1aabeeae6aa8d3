"""How often songs are played, as an optional prior: of two that sound alike, the popular one is likelier."""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import unreadable
from ondevice_db.store.store import Songs

__all__ = ["log_prior", "read_popularity"]

# A prior decides between songs that sound alike; it must not overrule a clear match, nor make an unknown song a match.
_MOST = 3.0
_UNSEEN = 0.5  # of the mean count: what a song that the table lacks is taken for


def log_prior(counts: NDArray[np.float64], n_songs: int) -> NDArray[np.float64]:
    """Return the natural logarithm of how much likelier than the average song each one is, within +-3.

    Parameters
    ----------
    counts : ndarray of float64 >= 0, shape (n_slots,)
        Plays, or anything that grows with them.
    n_songs : int >= 1
        That can be found: slots of removed songs and of other packs' copies are none, and have no count.
    """
    mean = float(counts.sum()) / n_songs
    if mean <= 0:
        return np.zeros(counts.shape)
    smoothed = (counts + _UNSEEN * mean) / ((1 + _UNSEEN) * mean)
    prior: NDArray[np.float64] = np.clip(np.log(smoothed), -_MOST, _MOST)
    return prior


def read_popularity(path: Path, database: Songs) -> NDArray[np.float64]:
    """Read a table of track ids and counts, and return the prior of a database's songs.

    Parameters
    ----------
    path : Path
        Separated by tabs, semicolons or commas, with a header that names ``track_id`` and ``count``.
    database : Songs

    Returns
    -------
    ndarray of float64, shape (n_slots,)
        By song index.

    Raises
    ------
    ConfigError
        When the table cannot be read or holds something else; the message names the line.
    """
    counts, songs = np.zeros(database.song_starts.size - 1), database.indices()
    try:
        # A byte-order mark, semicolons and CRLF are what spreadsheets make of a table.
        with path.open(encoding="utf-8-sig", newline="") as handle:
            header = handle.readline()
            handle.seek(0)
            delimiter = max("\t;,", key=header.count)
            reader = csv.DictReader(handle, delimiter=delimiter)
            if missing := {"track_id", "count"} - set(reader.fieldnames or ()):
                found = ", ".join(reader.fieldnames or ()) or "no header"
                message = f"it has no column {' or '.join(sorted(missing))}, but {found}"
                raise ValueError(message)
            for number, row in enumerate(reader, 2):
                count = float(row["count"])
                if not (np.isfinite(count) and count >= 0):
                    message = f"line {number}: expected a count >= 0, found {count}"
                    raise ValueError(message)
                song = songs.get(row["track_id"])
                if song is not None:
                    counts[song] = count
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        wanted = "a table with the columns track_id and count, separated by tabs, semicolons or commas"
        message = f"{path}: expected {wanted}"
        raise unreadable(message, error) from error
    return log_prior(counts, database.n_songs)
