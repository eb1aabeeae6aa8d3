import pytest

from nowplaying_core import errors

EXIT_CODES = {
    "NowPlayingError": 3,
    "AudioFormatError": 3,
    "DatabaseError": 3,
    "ConfigError": 2,
    "ArtifactError": 4,
    "ManifestMismatchError": 4,
    "CorruptArtifactError": 4,
    "ParityError": 4,
    "UnsupportedVersionError": 4,
    "MissingExtraError": 5,
    "MissingPathError": 3,
}


@pytest.mark.parametrize(("name", "exit_code"), EXIT_CODES.items())
def test_each_class_has_its_exit_code_and_one_root(name: str, exit_code: int) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, errors.NowPlayingError)
    assert kind.exit_code == exit_code


def test_every_class_is_listed_above() -> None:
    classes = {
        name for name, kind in vars(errors).items() if isinstance(kind, type) and kind.__module__ == errors.__name__
    }
    assert classes == set(EXIT_CODES)
    assert classes < set(errors.__all__)


def test_missing_extra_says_how_to_install_it() -> None:
    error = errors.MissingExtraError("mic", "a microphone", ImportError("no sounddevice"))
    assert str(error) == (
        "a microphone needs the 'mic' extra (no sounddevice): "
        "pip install 'nowplaying-ondevice[mic]', or in a checkout pip install -e '.[mic]'"
    )
    assert isinstance(error, ImportError)


def test_a_failed_import_names_the_extra_and_other_errors_pass() -> None:
    text = r"knitting needs the 'wool' extra \(No module named 'no_such'\)"
    with pytest.raises(errors.MissingExtraError, match=text) as error, errors.needs_extra("wool", "knitting"):
        import no_such  # type: ignore[import-not-found]  # noqa: F401
    assert (error.value.extra, error.value.exit_code) == ("wool", 5)
    with pytest.raises(ValueError, match="invalid literal"), errors.needs_extra("wool", "knitting"):
        int("one")
