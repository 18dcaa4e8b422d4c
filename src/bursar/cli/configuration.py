"""`bursar config`: this installation's settings, where each is from, and what is nearly one."""

import typer

from bursar.cli.failing import Exit
from bursar.cli.output import Output, Quiet, say, show_list
from bursar.runtime.installation import settings_here
from bursar.runtime.settings import FIELDS
from bursar.runtime.settings_origins import sources_of_settings, unknown_variables

group = typer.Typer(help="This installation's settings.", no_args_is_help=True)


@group.command("show")
def show_settings(*, output: Output = None) -> None:
    """List every setting, its value, where that is from, and its meaning; secrets stay hidden."""
    settings, sources = settings_here(), sources_of_settings()
    rows = [
        {
            "name": known.name,
            "value": _told(getattr(settings, name)),
            "source": sources[name],
            "default": known.default or known.otherwise,
            "meaning": known.meaning,
        }
        for name, known in FIELDS.items()
    ]
    show_list(rows, ("name", "value", "source", "meaning"), output)


@group.command("check")
def check_settings(*, quiet: Quiet = False) -> None:
    """Read every variable and name the ones that are nearly ours; exit 2 for a wrong value."""
    settings_here()
    strange = unknown_variables()
    for given, meant in strange.items():
        say(f"{given} is not read; did you mean {meant}?")
    if strange:
        raise typer.Exit(Exit.PROBLEMS)
    say("every variable is understood", is_quiet=quiet)


def _told(value: object) -> object:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return value if value is None or isinstance(value, int) else str(value)
