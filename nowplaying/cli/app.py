"""Commands that agree: each has an example, takes -q and -v after its name too, and shows no type beside a flag."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from nowplaying.cli.output import set_verbosity

__all__ = ["PANELS", "App", "Quiet", "Verbose"]

PANELS = ("Recognize", "Database", "Simulate", "Export", "Train and evaluate", "Research", "This installation", "")
"""Headings of the help, in their order; commands of a group have none."""

Verbose = Annotated[
    int, typer.Option("-v", "--verbose", count=True, help="Log more; -vv logs all.", show_default=False)
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]


class _Command(TyperCommand):
    """A command whose flags have no type in the help."""

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters."""
        return _without_flag_types(super().get_params(ctx))


class _Group(TyperGroup):
    """A group whose flags have no type in the help, and whose commands stand in the order of their headings."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        panels = list(PANELS)
        return sorted(super().list_commands(ctx), key=lambda name: panels.index(_panel(self.commands[name])))

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters."""
        return _without_flag_types(super().get_params(ctx))


def _panel(command: Any) -> str:
    panel = getattr(command, "rich_help_panel", None)
    return panel if isinstance(panel, str) else ""


def _without_flag_types(parameters: Any) -> Any:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False) or getattr(parameter, "count", False):
            parameter.metavar = ""
    return parameters


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
        self, function: Callable[..., Any], *, example: str, name: str | None = None, panel: str | None = None
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
        """
        register = self.command(name, cls=_Command, epilog=f"Example: {example}", rich_help_panel=panel)
        register(_with_verbosity(function))

    def add_default(self, function: Callable[..., Any], *, example: str) -> None:
        """Let a group do something by itself, where no command of it is named; parameters as of `add`."""
        register = self.callback(invoke_without_command=True, epilog=f"Example: {example}")
        register(_with_verbosity(function))


def _with_verbosity(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the command with -q and -v as options of its own."""

    @wraps(function)
    def run(*arguments: Any, verbose: int = 0, quiet: bool = False, **options: Any) -> Any:
        if verbose or quiet:
            set_verbosity(verbose=verbose, quiet=quiet)
        return function(*arguments, **options)

    own = inspect.signature(function)
    more = [
        inspect.Parameter("verbose", inspect.Parameter.KEYWORD_ONLY, default=0, annotation=Verbose),
        inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Quiet),
    ]
    run.__signature__ = own.replace(parameters=[*own.parameters.values(), *more])  # type: ignore[attr-defined]
    run.__annotations__ = {**function.__annotations__, "verbose": Verbose, "quiet": Quiet}
    return run
