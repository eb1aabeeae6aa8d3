"""MPEG audio frames (MP3, MP2 and AAC in ADTS): where they are, and how long they sound.

A frame begins with eleven or twelve set bits, which any data holds by chance: only frames that follow each other as
their headers say, with the same rate, are frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

__all__ = [
    "Frame",
    "MpegScan",
    "adts_frame",
    "holds",
    "mpeg_frame",
    "scan_mpeg",
    "skip_tags",
    "tag_bytes",
    "torn_tag_bytes",
]

_KBITS_1 = (
    (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
)
_KBITS_2 = (
    (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_ADTS_RATES_HZ = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
_READ_BYTES = 1 << 20
_LONGEST_FRAME = 8_192
_MOST_TAGS = 100
_RUN = 3  # frames that must follow each other where none was before


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: its length in bytes, how many samples it decodes to, and their rate."""

    n_bytes: int
    n_samples: int
    rate_hz: int


def mpeg_frame(header: bytes) -> Frame | None:
    """Read the first four bytes of an MPEG-1, -2 or -2.5 frame of layer I, II or III; None where it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bits, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 4 or bits in {0, 15} or rate == 3:
        return None
    rate_hz = _RATES_HZ[version][rate]
    bit_rate = 1000 * (_KBITS_1 if version == 3 else _KBITS_2)[layer - 1][bits]
    if layer == 1:
        return Frame(4 * (12 * bit_rate // rate_hz + padding), 384, rate_hz)
    n_samples = 576 if layer == 3 and version != 3 else 1152
    return Frame(n_samples // 8 * bit_rate // rate_hz + padding, n_samples, rate_hz)


def adts_frame(header: bytes) -> Frame | None:
    """Read the first six bytes of an AAC frame in ADTS; None where it is none."""
    if len(header) < 6 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return None
    rate = header[2] >> 2 & 15
    n_bytes = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    if rate >= len(_ADTS_RATES_HZ) or n_bytes < 8:
        return None
    return Frame(n_bytes, 1024, _ADTS_RATES_HZ[rate])


def holds(data: bytes, at: int, *, ends: bool, adts: bool = False) -> bool:
    """Return whether frames follow each other from here; where the data ends with the file, fewer are enough."""
    read = adts_frame if adts else mpeg_frame
    rate_hz = None
    for _ in range(_RUN):
        frame = read(data[at : at + 6])
        if frame is None or rate_hz not in (None, frame.rate_hz):
            return bool(ends and rate_hz and (at >= len(data) or tag_bytes(data[at : at + 16])))
        rate_hz, at = frame.rate_hz, at + frame.n_bytes
    return at <= len(data) or not ends


def tag_bytes(head: bytes) -> int:
    """Return the length of the tag (ID3v2, ID3v1, APEv2) that begins with these 16 bytes; 0 where none does."""
    if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 0x80:
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        return 10 + size + (10 if head[5] & 0x10 else 0)
    if head[:3] == b"TAG":
        return 128
    if head[:8] == b"APETAGEX" and len(head) >= 16:
        return 32 + int.from_bytes(head[12:16], "little")
    return 0


def skip_tags(handle: BinaryIO, start: int, end: int) -> int:
    """Return where the sound behind the tags at a position begins; one that states more than there is is no tag."""
    for _ in range(_MOST_TAGS):
        handle.seek(start)
        head = handle.read(16)
        size = tag_bytes(head)
        if not size or head[:3] == b"TAG" or start + size >= end:
            break
        start += size
    return start


def torn_tag_bytes(handle: BinaryIO, end: int) -> int:
    """Return where the frames begin behind an ID3 tag that states more than there is, which decoders believe; or 0."""
    handle.seek(0)
    data = handle.read(_READ_BYTES)
    if data[:3] != b"ID3" or tag_bytes(data[:16]) < end:
        return 0
    return _next_run(data, 10, is_last=len(data) == end)


def _lyrics_bytes(data: bytes, at: int) -> int:
    """Return the length of a Lyrics3 tag, which is stated at its end; 0 where none begins."""
    if data[at : at + 11] != b"LYRICSBEGIN":
        return 0
    ends = [found + 9 for mark in (b"LYRICS200", b"LYRICSEND") if (found := data.find(mark, at)) >= 0]
    return min(ends) - at if ends else 0


@dataclass(frozen=True, slots=True)
class MpegScan:
    """The frames of a file, in order.

    Attributes
    ----------
    positions, ends_samples : list of int
        Where each frame begins, in bytes; samples of all frames up to and with it.
    skipped_bytes : int
        Neither frames nor tags.
    frame_bytes : int
        Of all frames.
    """

    positions: list[int]
    ends_samples: list[int]
    skipped_bytes: int
    frame_bytes: int


def scan_mpeg(handle: BinaryIO, start: int, end: int) -> MpegScan:
    """Find all frames between two positions of a file, which is read in pieces."""
    positions: list[int] = []
    ends_samples: list[int] = []
    skipped = frame_bytes = total = 0
    for position, frame, n_skipped in _frames(handle, start, end):
        skipped += n_skipped
        if frame is not None:
            total += frame.n_samples
            frame_bytes += frame.n_bytes
            positions.append(position)
            ends_samples.append(total)
    return MpegScan(positions, ends_samples, skipped, frame_bytes)


def _frames(handle: BinaryIO, start: int, end: int) -> Iterator[tuple[int, Frame | None, int]]:
    """Yield each frame with its position, and before it the bytes that were passed over."""
    at, base, data, in_step = start, start, b"", False
    while at < end:
        loaded_to = base + len(data)
        if (at + _LONGEST_FRAME > loaded_to and loaded_to < end) or at > loaded_to:
            handle.seek(at)
            base, data = at, handle.read(min(_READ_BYTES, end - at))
            if not data:
                return
        here = at - base
        frame = mpeg_frame(data[here : here + 4])
        is_last = base + len(data) >= end
        if frame is not None and (in_step or holds(data, here, ends=is_last)):
            in_step = at + frame.n_bytes <= end
            if in_step:
                yield at, frame, 0
            at += frame.n_bytes
            continue
        size = tag_bytes(data[here : here + 16]) or _lyrics_bytes(data, here)
        if size and (at + size <= end or data[here : here + 3] == b"TAG"):
            at += size
            continue
        in_step = False
        found = _next_run(data, here + 1, is_last=is_last)
        yield at, None, min(found, end - base) - here
        at = base + found


def _next_run(data: bytes, at: int, *, is_last: bool) -> int:
    """Return where the next run of frames or tag begins, or where the search has to go on with more data."""
    limit = len(data) if is_last else max(at, len(data) - _RUN * _LONGEST_FRAME)
    while at < limit:
        at = data.find(b"\xff", at, limit)
        if at < 0:
            return limit
        if mpeg_frame(data[at : at + 4]) is not None and holds(data, at, ends=is_last):
            return at
        at += 1
    return limit
