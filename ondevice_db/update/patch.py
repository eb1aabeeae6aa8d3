"""A file as a Zstandard frame that uses an older version of it as its dictionary."""

from pathlib import Path
from typing import Any

from nowplaying_core.errors import CorruptArtifactError, needs_extra

__all__ = ["expand_patch", "make_patch"]

_LEVEL = 9
# The level's own tables are made for frames of a few megabytes and would forget most of a large dictionary: measured
# with the table of 100,000 songs, of which 1 % went and 1 % came, 0.4 MB instead of 2.4.
_MAX_TABLE_LOG = 24
_MAX_WINDOW_LOG = 27


def make_patch(old: Path | None, new: Path) -> bytes:
    """Return a new file's content in terms of an old one's.

    Raises
    ------
    MissingExtraError
        Without the package zstandard.
    """
    zstandard = _zstandard()
    content, dictionary = new.read_bytes(), old.read_bytes() if old is not None else b""
    bits = max(18, (len(content) + len(dictionary)).bit_length())
    table = min(bits, _MAX_TABLE_LOG)
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL,
        source_size=len(content),
        dict_size=len(dictionary),
        window_log=min(bits, _MAX_WINDOW_LOG),
        hash_log=table,
        chain_log=table,
    )
    compressor = zstandard.ZstdCompressor(compression_params=parameters, dict_data=_dictionary(zstandard, dictionary))
    patch: bytes = compressor.compress(content)
    return patch


def expand_patch(old: Path | None, patch: bytes, n_bytes: int) -> bytes:
    """Return what `make_patch` was given.

    Parameters
    ----------
    old : Path or None
    patch : bytes
        Untrusted.
    n_bytes : int
        Expected size of the result; no more is ever allocated.

    Raises
    ------
    CorruptArtifactError
        When the patch is damaged or gives another size.
    MissingExtraError
        Without the package zstandard.
    """
    zstandard = _zstandard()
    dictionary = old.read_bytes() if old is not None else b""
    decompressor = zstandard.ZstdDecompressor(
        dict_data=_dictionary(zstandard, dictionary), max_window_size=1 << _MAX_WINDOW_LOG
    )
    try:
        size = zstandard.get_frame_parameters(patch).content_size
        # The frame's own promise would be allocated whatever limit is given.
        content: bytes = decompressor.decompress(patch, max_output_size=n_bytes) if size == n_bytes else b""
    except zstandard.ZstdError as error:
        message = f"a patch cannot be expanded ({error})"
        raise CorruptArtifactError(message) from error
    if len(content) != n_bytes:
        message = f"a patch gives {size} bytes, expected {n_bytes}"
        raise CorruptArtifactError(message)
    return content


def _dictionary(zstandard: Any, content: bytes) -> Any:
    if not content:
        return None
    return zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def _zstandard() -> Any:
    with needs_extra("delta", "a delta between two versions of a database"):
        import zstandard
    return zstandard
