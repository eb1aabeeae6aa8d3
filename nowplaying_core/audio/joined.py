"""Files that go on behind what their first header states: joined, chained, or with a wrong count of frames.

Libsndfile reads the first part and ends there. What these functions return is where the next part begins.
"""

from typing import BinaryIO

from nowplaying_core.audio.mpeg import scan_mpeg, skip_tags

__all__ = ["MpegRest", "next_part", "wav_data"]

_FLAC_BEGIN = b"fLaC\x00\x00\x00\x22"
_FLAC_BEGIN_LAST = b"fLaC\x80\x00\x00\x22"
_PIECE_BYTES = 1 << 20
_XING_BYTES = 256
# Decoders drop an encoder's delay and padding, up to three frames, and the frame that holds the count.
_TOLERATED_FRAMES = 5


def next_part(handle: BinaryIO, kind: str | None, start: int, end: int) -> int | None:
    """Return where in a file the part behind the one at ``start`` begins, tags passed over; None without one."""
    if kind in {"WAV", "FLAC", "Ogg"}:
        start = skip_tags(handle, start, end)
    if kind == "WAV":
        return _next_wav(handle, start, end)
    if kind == "FLAC":
        return _next_flac(handle, start, end)
    if kind == "Ogg":
        return _next_ogg(handle, start, end)
    return None


def _next_wav(handle: BinaryIO, start: int, end: int) -> int | None:
    handle.seek(start)
    size = int.from_bytes(handle.read(8)[4:8], "little")
    for at in (start + 8 + size, start + 9 + size):
        if at + 44 < end:
            handle.seek(at)
            if handle.read(4) in {b"RIFF", b"RF64"}:
                return at
    return None


def _next_flac(handle: BinaryIO, start: int, end: int) -> int | None:
    at, tail = start + 8, b""
    handle.seek(at)
    while at < end and (data := handle.read(min(_PIECE_BYTES, end - at))):
        both = tail + data
        found = [one for mark in (_FLAC_BEGIN, _FLAC_BEGIN_LAST) if (one := both.find(mark)) >= 0]
        if found:
            return at - len(tail) + min(found)
        at += len(data)
        tail = both[-len(_FLAC_BEGIN) :]
    return None


def _next_ogg(handle: BinaryIO, start: int, end: int) -> int | None:
    """Return the first page that begins a stream behind pages that do not."""
    at, had_body = start, False
    while at + 27 < end:
        handle.seek(at)
        head = handle.read(27 + 255)
        if head[:4] != b"OggS":
            return None
        begins = bool(head[5] & 2)
        if begins and had_body:
            return at
        had_body |= not begins
        n_segments = head[26]
        at += 27 + n_segments + sum(head[27 : 27 + n_segments])
    return None


def wav_data(handle: BinaryIO, start: int, end: int) -> tuple[int, int, int] | None:
    """Return where the size of a WAV file's samples stands, that size, and where they begin; None without samples."""
    at = skip_tags(handle, start, end) + 12
    while at + 8 <= end:
        handle.seek(at)
        head = handle.read(8)
        size = int.from_bytes(head[4:8], "little")
        if head[:4] == b"data":
            return at + 4, size, at + 8
        at += 8 + size + size % 2
    return None


class MpegRest:
    """The frames of an MPEG file, to see what a decoder that ended has left.

    Parameters
    ----------
    handle : BinaryIO
    start, end : int
        Positions in the file.
    """

    def __init__(self, handle: BinaryIO, start: int, end: int) -> None:
        self._scan = scan_mpeg(handle, start, end)
        self._handle = handle

    @property
    def skipped_share(self) -> float:
        """Share of the bytes that are neither frames nor tags."""
        return self._scan.skipped_bytes / max(self._scan.skipped_bytes + self._scan.frame_bytes, 1)

    @property
    def n_samples(self) -> int:
        """Samples of all frames."""
        return self._scan.ends_samples[-1] if self._scan.ends_samples else 0

    def after(self, position: int, n_decoded: int) -> int | None:
        """Return where to go on after so many samples from the frame at ``position``; None where all were decoded."""
        positions, ends = self._scan.positions, self._scan.ends_samples
        first = next((number for number, at in enumerate(positions) if at >= position), len(positions))
        if first == len(positions):
            return None
        before = ends[first - 1] if first else 0
        per_frame = ends[first] - before
        counted = self._stated_frames(positions[first])
        n_done = -(-n_decoded // per_frame)
        if counted is not None and abs(counted - n_done) <= _TOLERATED_FRAMES:
            n_done = counted
        n_done += counted is not None
        following = first + n_done
        if len(positions) - following <= _TOLERATED_FRAMES:
            return None
        # Not nothing: a decoder that gives nothing would be asked for the same again and again.
        return positions[max(following, first + 1)]

    def _stated_frames(self, position: int) -> int | None:
        self._handle.seek(position)
        head = self._handle.read(_XING_BYTES)
        for mark in (b"Xing", b"Info"):
            at = head.find(mark, 0, 64)
            if at >= 0 and head[at + 7] & 1:
                return int.from_bytes(head[at + 8 : at + 12], "big")
        return None
