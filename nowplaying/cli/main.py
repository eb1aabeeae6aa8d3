"""The executable: global options, and one place where errors become messages and exit codes."""

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
    simulate,
    train,
)
from nowplaying.cli.outcome import disk_error
from nowplaying.cli.output import PACKAGES, fail, set_verbosity
from nowplaying_core import __version__
from nowplaying_core.errors import EXIT_BAD_INPUT, EXIT_INTERRUPTED, MissingExtraError, NowPlayingError

__all__ = ["app", "main"]


app = typer.Typer(
    name="nowplaying",
    help="Recognize music on this device: index your songs, then name the song in a recording or at the microphone.",
    epilog="Exit codes: 0 done or found, 1 nothing recognized, 2 usage, 3 bad input, 4 artifact mismatch or corrupt, "
    "5 missing extra, 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nowplaying {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    verbose: Annotated[int, typer.Option("-v", "--verbose", count=True, help="More log messages; -vv for all.")] = 0,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    set_verbosity(verbose=verbose, quiet=quiet)


app.command("index")(index.index)
app.command("recognize")(recognize.recognize)
app.command("detect")(detect.detect)
app.command("listen")(listen.listen)
app.command("simulate")(simulate.simulate)
app.command("energy")(energy.energy)
app.add_typer(export.app, name="export")
app.command("card")(card.card)
app.command("render")(render.render)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)
app.command("pretrain")(pretrain.pretrain)
app.command("generate")(generate.generate)
app.add_typer(train.app, name="train")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(audit.app, name="audit")
app.add_typer(publish.app, name="publish")
app.add_typer(db.app, name="db")


def main() -> None:
    """Run the command line and end the process with the documented exit code."""
    try:
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
        sys.stderr.close()
        sys.exit(EXIT_BAD_INPUT)
    except OSError as error:
        fail(disk_error(error))
        sys.exit(EXIT_BAD_INPUT)


if __name__ == "__main__":
    main()
