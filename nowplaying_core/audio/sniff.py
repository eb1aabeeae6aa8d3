"""Which container a file is, by its first bytes and never by its name."""

from typing import BinaryIO

from nowplaying_core.audio.mpeg import holds, skip_tags

__all__ = ["BY_FFMPEG", "SNIFF_BYTES", "kind_of", "sniff"]

SNIFF_BYTES = 16_384
BY_FFMPEG = {
    "AAC (ADTS)",
    "ASF (WMA)",
    "Matroska or WebM",
    "MP4 or M4A",
    "Monkey's Audio",
    "WavPack",
    "AMR",
    "Musepack",
    "MPEG program or transport stream",
    "AVI",
    "TrueAudio",
    "DSF",
}
"""Kinds that libsndfile does not read."""

_MAGIC = (
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "Ogg"),
    (0, b"caff", "CAF"),
    (0, b".snd", "AU"),
    (0, b"dns.", "AU"),
    (0, b"riff\x2e\x91\xcf\x11", "W64"),
    (8, b"WAVE", "WAV"),
    (8, b"AIFF", "AIFF"),
    (8, b"AIFC", "AIFF"),
    (8, b"AVI ", "AVI"),
    (4, b"ftyp", "MP4 or M4A"),
    (4, b"moov", "MP4 or M4A"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "ASF (WMA)"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"wvpk", "WavPack"),
    (0, b"#!AMR", "AMR"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"TTA1", "TrueAudio"),
    (0, b"DSD ", "DSF"),
    (0, b"\x00\x00\x01\xba", "MPEG program or transport stream"),
)


def kind_of(data: bytes, *, ends: bool) -> str | None:
    """Return the container that these bytes begin; None where they begin none that is known.

    Parameters
    ----------
    data : bytes
        The first `SNIFF_BYTES` or all.
    ends : bool
        Whether the source ends with them.
    """
    for at, magic, kind in _MAGIC:
        if data[at : at + len(magic)] == magic:
            return kind
    if len(data) > 376 and data[0] == data[188] == data[376] == 0x47:
        return "MPEG program or transport stream"
    start = 0
    while start + 6 < len(data) and data[start] == 0:  # padding, as some writers leave it behind a tag
        start += 1
    # Junk before the first frame is common in MP3 files, but frames must follow each other all the same.
    at = start
    while 0 <= (at := data.find(b"\xff", at)) < len(data) - 4:
        if holds(data, at, ends=ends, adts=True):
            return "AAC (ADTS)"
        if holds(data, at, ends=ends):
            return "MPEG"
        at += 1
    return None


def sniff(handle: BinaryIO, start: int, end: int) -> str | None:
    """Return the container that begins at a position of a file; tags before it are passed over."""
    start = skip_tags(handle, start, end)
    handle.seek(start)
    data = handle.read(min(SNIFF_BYTES, end - start))
    return kind_of(data, ends=start + len(data) >= end)
