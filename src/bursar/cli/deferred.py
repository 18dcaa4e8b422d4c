"""Commands that a list names and help describes, and that are loaded by whoever enters them.

A noun brings its operations, flows and reads along, and nobody calls two at once. What the list
says of a command is what the command says of itself: `tests/cli/test_deferred.py` holds the two.
"""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group


class Deferred(TyperCommand):
    """Stands for the command at a place, `module:name`: a group of verbs, or one alone."""

    def __init__(self, name: str, *, place: str, about: str) -> None:
        super().__init__(name, help=about)
        self._place = place

    def make_context(self, *words: Any, **settings: Any) -> Any:
        """Where parsing, help and completion enter a command: here the command itself begins."""
        return self.loaded().make_context(*words, **settings)

    def loaded(self) -> TyperCommand | TyperGroup:
        """The command itself."""
        module, _, name = self._place.partition(":")
        found = getattr(import_module(module), name)
        if isinstance(found, typer.Typer):
            command: Any = get_group(found)
        else:
            alone = typer.Typer(add_completion=False)
            alone.command(self.name)(found)
            command = get_command(alone)
        command.name = self.name
        assert isinstance(command, TyperCommand | TyperGroup), "Typer makes one of these"
        return command
