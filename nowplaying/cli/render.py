"""``nowplaying render``: render MIDI files to training music."""

from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli.options import Json, Seed, writable_folder
from nowplaying.cli.output import note, wrote
from nowplaying_core.errors import EXIT_BAD_INPUT, ConfigError, MissingPathError

__all__ = ["render"]


def render(
    midi: Annotated[Path, typer.Argument(help="Folder of MIDI files.", show_default=False)],
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the WAV files.", show_default=False, callback=writable_folder)
    ],
    soundfont: Annotated[
        list[Path], typer.Option("--soundfont", help="SoundFont file (.sf2); repeatable.", show_default=False)
    ],
    duration_s: Annotated[
        float, typer.Option("--duration-s", min=1.0, help="Length of each recording in seconds.")
    ] = 45.0,
    per_folder: Annotated[
        int, typer.Option("--per-folder", min=1, help="Greatest number of MIDI files from one folder.")
    ] = 500,
    held_out: Annotated[
        int, typer.Option("--held-out", min=0, help="Number of MIDI files to leave out, for evaluation.")
    ] = 0,
    without_test: Annotated[
        bool,
        typer.Option("--without-test", help="Leave out the scores that evaluate probe --midi tests encoders with."),
    ] = False,
    seed: Seed = 1,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes.")] = 2,
    as_json: Json = False,
) -> None:
    """Render MIDI files with varied instruments, keys and tempi (needs fluidsynth and a SoundFont)."""
    from fingerprinter.training.midi import choose_scores, render_folder
    from nowplaying_core.settings import check_given
    from pretraining.tasks.midi import is_test_score

    missing = [str(path) for path in soundfont if not path.is_file()]
    if missing:
        message = f"--soundfont: expected SoundFont files, found none at {', '.join(missing)}"
        raise MissingPathError(message)
    scores = choose_scores(midi, per_folder=per_folder, seed=seed)
    chosen = [score for score in scores if not (without_test and is_test_score(score))]
    if held_out >= len(chosen):
        message = f"held_out: expected fewer than the {len(chosen)} MIDI files, found {held_out}"
        raise ConfigError(message)
    given: dict[str, object] = {"duration_s": duration_s, "seed": seed, "per_folder": per_folder, "held_out": held_out}
    given["without_test"] = without_test
    given["soundfonts"] = ", ".join(path.name for path in soundfont)
    out.mkdir(parents=True, exist_ok=True)
    check_given(out, given, begun=any(out.glob("*.wav")))
    rendered, kept_back = chosen[: len(chosen) - held_out], chosen[len(chosen) - held_out :]
    failures = render_folder(rendered, out, soundfonts=soundfont, duration_s=duration_s, seed=seed, jobs=jobs)
    for failure in failures:
        note(f"error: {failure}")
    n_done = len(rendered) - len(failures)
    text = f"{out}: {n_done} of {len(rendered)} MIDI files rendered, {len(kept_back)} held out"
    wrote(out, text, as_json=as_json, rendered=n_done, failed=len(failures), held_out=len(kept_back))
    if failures:
        raise typer.Exit(EXIT_BAD_INPUT)
