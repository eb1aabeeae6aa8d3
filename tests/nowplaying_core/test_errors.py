import pytest

from nowplaying_core import errors


@pytest.mark.parametrize(
    ("name", "exit_code"),
    [
        ("NowPlayingError", 3),
        ("AudioFormatError", 3),
        ("DatabaseError", 3),
        ("ConfigError", 2),
        ("ArtifactError", 4),
        ("ManifestMismatchError", 4),
        ("CorruptArtifactError", 4),
        ("ParityError", 4),
        ("UnsupportedVersionError", 4),
        ("MissingExtraError", 5),
    ],
)
def test_each_class_has_its_exit_code_and_one_root(name: str, exit_code: int) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, errors.NowPlayingError)
    assert kind.exit_code == exit_code


def test_every_class_is_listed_above() -> None:
    assert len(errors.__all__) == 10


def test_missing_extra_says_how_to_install_it() -> None:
    error = errors.MissingExtraError("mic", "a microphone", ImportError("no sounddevice"))
    assert str(error) == (
        "a microphone needs the 'mic' extra (no sounddevice): "
        "pip install 'nowplaying-ondevice[mic]', or in a checkout pip install -e '.[mic]'"
    )
    assert isinstance(error, ImportError)
