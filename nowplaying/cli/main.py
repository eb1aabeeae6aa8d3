"""The executable: global options, and one place where errors become messages and exit codes."""

import io
import os
import sys
from typing import Annotated

import typer

from nowplaying.cli import (
    audit,
    card,
    db,
    demo,
    detect,
    doctor,
    energy,
    evaluate,
    export,
    generate,
    index,
    listen,
    pretrain,
    publish,
    recognize,
    render,
    serve,
    simulate,
    train,
)
from nowplaying.cli.app import PANELS, App, Quiet, Verbose
from nowplaying.cli.logs import PACKAGES, libraries_silenced, set_verbosity
from nowplaying.cli.outcome import disk_error
from nowplaying.cli.output import fail
from nowplaying_core import __version__
from nowplaying_core.errors import EXIT_BAD_INPUT, EXIT_FOUND, EXIT_INTERRUPTED, MissingExtraError, NowPlayingError

__all__ = ["app", "main"]


app = App(
    name="nowplaying",
    help="Recognize music on this device: index your songs, then name the song in a recording or at the microphone.",
    epilog="Exit codes: 0 done or found, 1 nothing recognized, 2 usage, 3 bad input, 4 artifact mismatch or corrupt, "
    "5 missing extra, 130 interrupted. 'nowplaying COMMAND --help' shows an example of each command.",
    no_args_is_help=True,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nowplaying {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    verbose: Verbose = 0,
    quiet: Quiet = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    set_verbosity(verbose=verbose, quiet=quiet)


_RECOGNIZE, _DATABASE, _SIMULATE, _EXPORT, _TRAIN, _RESEARCH, _HELP = PANELS[:7]

app.add(recognize.recognize, panel=_RECOGNIZE, example="nowplaying recognize --db music.npdb recording.wav --explain")
app.add(detect.detect, panel=_RECOGNIZE, example="nowplaying detect recording.wav")
app.add(listen.listen, panel=_RECOGNIZE, example="nowplaying listen --db music.npdb")
app.add(serve.serve, panel=_RECOGNIZE, example="nowplaying serve --db music.npdb", stays=True)
app.add(index.index, panel=_DATABASE, example="nowplaying index ~/Music --db music.npdb", resumes=True)
app.add_typer(db.app, name="db", rich_help_panel=_DATABASE)
app.add(demo.demo, panel=_SIMULATE, example="nowplaying demo --report demo.html")
app.add(simulate.simulate, panel=_SIMULATE, example="nowplaying simulate --db music.npdb evening.wav --report a.html")
app.add_typer(energy.app, name="energy", rich_help_panel=_SIMULATE)
app.add_typer(export.app, name="export", rich_help_panel=_EXPORT)
app.add_typer(train.app, name="train", rich_help_panel=_TRAIN)
app.add_typer(evaluate.app, name="evaluate", rich_help_panel=_TRAIN)
app.add_typer(publish.app, name="publish", rich_help_panel=_TRAIN)
app.add(card.card, panel=_TRAIN, example="nowplaying card models/detector-v3")
app.add(render.render, panel=_TRAIN, example="nowplaying render midi --out rendered --soundfont general.sf2")
app.add(
    pretrain.pretrain,
    panel=_RESEARCH,
    example="nowplaying pretrain audio2vec_cbow --corpus CORPUS --run-dir runs/a2v --cache-dir runs/cache",
    resumes=True,
)
app.add(generate.generate, panel=_RESEARCH, example="nowplaying generate runs/codes song.wav --out continued.wav")
app.add_typer(audit.app, name="audit", rich_help_panel=_RESEARCH)
app.add(doctor.doctor, panel=_HELP, example="nowplaying doctor")


def main() -> None:
    """Run the command line and end the process with the documented exit code."""
    _occupy_standard_streams()
    if sys.stdout is None:  # said before the work, not after it
        fail("standard output is closed; redirect it to a file or to /dev/null")
        sys.exit(EXIT_BAD_INPUT)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a title must not end a command on a narrow terminal
    try:
        with libraries_silenced():
            app()
    except NowPlayingError as error:
        fail(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        fail("interrupted")
        sys.exit(EXIT_INTERRUPTED)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in PACKAGES:
            raise
        fail(f"the package {error.name!r} is not installed; install nowplaying again, or see 'nowplaying doctor'")
        sys.exit(MissingExtraError.exit_code)
    except BrokenPipeError:
        # The reader of our output left, as `head` does; closing stderr keeps Python from complaining at exit.
        if sys.stderr is not None:
            sys.stderr.close()
        sys.exit(EXIT_FOUND)
    except MemoryError:
        fail("there is not enough memory; end other programs, or give the command fewer or shorter recordings")
        sys.exit(EXIT_BAD_INPUT)
    except OSError as error:
        fail(disk_error(error))
        sys.exit(EXIT_BAD_INPUT)


def _occupy_standard_streams() -> None:
    """Let no file get the number of a standard stream that is closed: what libraries write there would go into it."""
    for number, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # takes the lowest number that is free


if __name__ == "__main__":
    main()
