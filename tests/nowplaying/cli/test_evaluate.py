"""What ``evaluate`` refuses; that it measures is tested with the evaluation itself."""

from pathlib import Path

import pytest

from .conftest import Run


@pytest.mark.parametrize("protocol", [(), ("--protocol", "nafp"), ("--protocol", "now-playing")])
def test_a_folder_that_is_no_corpus_is_named(run: Run, tmp_path: Path, protocol: tuple[str, ...]) -> None:
    done = run("evaluate", "retrieval", "--corpus", tmp_path / "none", "--cache-dir", tmp_path / "cache", *protocol)
    assert done.code == 3
    assert str(tmp_path / "none") in done.err


@pytest.mark.parametrize(
    "options",
    [
        ("now-playing", "--metrics"),
        ("nafp", "--fit-acceptance"),
        ("nafp", "--float-model", "elsewhere"),
        ("nafp", "--hop", "0.5"),
    ],
)
def test_protocols_refuse_what_belongs_to_the_standard_tables(
    run: Run, tmp_path: Path, options: tuple[str, ...]
) -> None:
    done = run("evaluate", "retrieval", "--corpus", tmp_path, "--cache-dir", tmp_path, "--protocol", *options)
    assert done.code == 2
    assert "--protocol" in done.err


def test_an_unknown_protocol_is_refused(run: Run, tmp_path: Path) -> None:
    done = run("evaluate", "retrieval", "--corpus", tmp_path, "--cache-dir", tmp_path, "--protocol", "other")
    assert done.code == 2
    assert "attention-qbe" in done.err
