"""How the fingerprints of a database were made."""

from dataclasses import dataclass

from ondevice_db.format.schema import DatabaseManifest

__all__ = ["FingerprintSettings"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FingerprintSettings:
    """How the fingerprints of a database were made.

    Attributes
    ----------
    embedding_space : str
        Id of the front end and encoder.
    encoder : str
        The model's name, for messages.
    dim : int
    hop_s, window_s : float, seconds
        Of the reference fingerprints.
    """

    embedding_space: str
    encoder: str
    dim: int
    hop_s: float
    window_s: float

    @classmethod
    def of(cls, manifest: DatabaseManifest) -> "FingerprintSettings":
        """Return the settings of a database."""
        return cls(
            embedding_space=manifest.embedding_space,
            encoder=manifest.encoder,
            dim=manifest.dim,
            hop_s=manifest.hop_s,
            window_s=manifest.window_s,
        )
