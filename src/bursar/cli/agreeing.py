"""Asking whoever sits at the terminal, before something that cannot be taken back."""

import sys

import typer

from bursar.cli.failing import Misused


def require_agreement(question: str, *, is_agreed: bool) -> None:
    """Go on only if somebody agrees; without a terminal nobody can be asked.

    Raises:
        Misused: nobody agreed, and nobody can be asked.
    """
    if is_agreed:
        return
    if not sys.stdin.isatty():
        raise Misused(f"{question} Say --yes where there is no terminal.")
    typer.confirm(question, abort=True, err=True)
