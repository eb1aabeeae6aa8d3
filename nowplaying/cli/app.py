"""Commands that agree: each has an example, takes -q and -v after its name too, and names values for people."""

import inspect
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup
from typer.models import OptionInfo, ParameterInfo

from nowplaying.cli.logs import set_verbosity
from nowplaying.cli.output import note, working
from nowplaying_core.errors import EXIT_INTERRUPTED, ConfigError

__all__ = ["PANELS", "App", "Quiet", "Verbose"]

PANELS = ("Recognize", "Database", "Simulate", "Export", "Train and evaluate", "Research", "This installation", "")
"""Headings of the help, in their order; commands of a group have none."""

Verbose = Annotated[
    int, typer.Option("-v", "--verbose", count=True, help="Log more; -vv logs all.", show_default=False)
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]


_KINDS = {Path: "PATH", str: "TEXT", int: "N", float: "X"}
_LAST = ("card", "render")  # of their heading: groups come after commands, and these serve groups
_RESUMES = "run the command again: it goes on where it stopped"
_MOST_LETTERS = 20  # of the values of a choice beside its option, where longer lists break within words


class _Command(TyperCommand):
    """A command whose help names values as people do."""

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters."""
        return [_for_people(parameter) for parameter in super().get_params(ctx)]


class _Group(TyperGroup):
    """A group whose help names values as people do, and whose commands stand in the order of their headings."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        panels = list(PANELS)
        return sorted(
            super().list_commands(ctx), key=lambda name: (panels.index(_panel(self.commands[name])), name in _LAST)
        )

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters."""
        return [_for_people(parameter) for parameter in super().get_params(ctx)]


def _panel(command: Any) -> str:
    panel = getattr(command, "rich_help_panel", None)
    return panel if isinstance(panel, str) else ""


def _for_people(parameter: Any) -> Any:
    """Show no type beside a flag or an argument."""
    if getattr(parameter, "is_flag", False) or getattr(parameter, "count", False):
        parameter.metavar = ""
    elif parameter.param_type_name == "argument":
        parameter.display_type = lambda *_, **__: None
    return parameter


def _flags(function: Callable[..., Any]) -> dict[str, str]:
    """Return the option of each parameter that is one."""
    found = {}
    for name, one in inspect.signature(function).parameters.items():
        for option in get_args(one.annotation)[1:] if get_origin(one.annotation) is Annotated else ():
            if isinstance(option, OptionInfo):
                # Within Annotated, Typer keeps the first name where a default would stand.
                names = [option.default, *(option.param_decls or ())]
                declared = next((flag for flag in names if isinstance(flag, str) and flag.startswith("--")), None)
                found[name] = (declared or f"--{name.replace('_', '-')}").partition("/")[0]
    return found


def _name_values(function: Callable[..., Any]) -> None:
    """Name the values of a command's options: a short word for a type, and a long choice in the option's text."""
    for one in inspect.signature(function).parameters.values():
        kind, *more = get_args(one.annotation) if get_origin(one.annotation) is Annotated else (one.annotation,)
        for option in more:
            if isinstance(option, ParameterInfo):
                option.readable = False  # whoever reads a path says why it cannot be read, and what to do
            if not isinstance(option, OptionInfo) or option.metavar is not None:
                continue
            kinds = {kind, *get_args(kind), *(inner for outer in get_args(kind) for inner in get_args(outer))}
            choices = [text for text in kinds if isinstance(text, str)]
            if not choices:
                option.metavar = next((_KINDS[each] for each in kinds if each in _KINDS), None)
            elif len("|".join(choices)) > _MOST_LETTERS:
                ordered = get_args(kind) if get_origin(kind) is Literal else get_args(get_args(kind)[0])
                option.metavar, option.help = "NAME", f"{option.help} One of {', '.join(ordered)}."


class App(typer.Typer):
    """An application or a group of commands.

    Parameters
    ----------
    **options
        As of ``typer.Typer``.
    """

    def __init__(self, **options: Any) -> None:
        settings = {"help_option_names": ["-h", "--help"]}
        super().__init__(cls=_Group, context_settings=settings, pretty_exceptions_enable=False, **options)

    def add(
        self,
        function: Callable[..., Any],
        *,
        example: str,
        name: str | None = None,
        panel: str | None = None,
        stays: bool = False,
        resumes: bool = False,
    ) -> None:
        """Add a command.

        Parameters
        ----------
        function : callable
            Its parameters are the command's arguments and options, its docstring the help.
        example : str
            A command line that the help shows.
        name : str, optional
            By default the function's.
        panel : str, optional
            Heading under which the help lists it.
        stays : bool
            Whether it goes on until somebody ends it: then silence is no riddle, and nothing breaks it.
        resumes : bool
            Whether the same command goes on where it was interrupted, which it then says.
        """
        register = self.command(name, cls=_Command, epilog=f"Example: {example}", rich_help_panel=panel)
        register(_with_verbosity(function, stays=stays, resumes=resumes))

    def add_default(self, function: Callable[..., Any], *, example: str) -> None:
        """Let a group do something by itself, where no command of it is named; parameters as of `add`.

        The function takes a ``typer.Context`` as well, which says whether one is.
        """
        register = self.callback(invoke_without_command=True, epilog=f"Example: {example}")
        register(_with_verbosity(function))


def _gives_way(options: Mapping[str, Any], flags: Mapping[str, str]) -> bool:
    """Return whether a command of a group was named, which the group's own options would not reach."""
    context = next((one for one in options.values() if hasattr(one, "invoked_subcommand")), None)
    if context is None or context.invoked_subcommand is None:
        return False
    sources = {flag: context.get_parameter_source(name) for name, flag in flags.items()}
    before = [flag for flag, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if before:
        message = f"{', '.join(before)}: expected after '{context.invoked_subcommand}', if it is an option of that"
        raise typer.BadParameter(message)
    return True


def _with_verbosity(function: Callable[..., Any], *, stays: bool = False, resumes: bool = False) -> Callable[..., Any]:
    """Return the command with -q and -v as options of its own; of a group, for where no command of it is named."""
    _name_values(function)

    @wraps(function)
    def run(*arguments: Any, verbose: int = 0, quiet: bool = False, **options: Any) -> Any:
        if verbose or quiet:
            set_verbosity(verbose=verbose, quiet=quiet)
        if _gives_way(options, flags):
            return None
        try:
            with nullcontext() if stays else working(function.__name__.replace("_", " ")):
                return function(*arguments, **options)
        except KeyboardInterrupt:  # of which Typer would make an end without a word
            note(f"interrupted; {_RESUMES}" if resumes else "interrupted")
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except ConfigError as error:
            setting, colon, rest = str(error).partition(":")
            if setting in flags:  # the library names a setting, the command line its option
                error.args = (f"{flags[setting]}{colon}{rest}",)
            raise

    own, flags = inspect.signature(function), _flags(function)
    more = [
        inspect.Parameter("verbose", inspect.Parameter.KEYWORD_ONLY, default=0, annotation=Verbose),
        inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Quiet),
    ]
    run.__signature__ = own.replace(parameters=[*own.parameters.values(), *more])  # type: ignore[attr-defined]
    run.__annotations__ = {**function.__annotations__, "verbose": Verbose, "quiet": Quiet}
    return run
