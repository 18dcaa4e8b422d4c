"""Where each setting's value came from, and which variables were perhaps meant to be ours."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from bursar.runtime.settings import FIELDS, child_environment
from bursar.runtime.settings_text import Variable

# What others call it, who set theirs in parts or keep their data elsewhere.
_ELSEWHERE: Final[Mapping[str, str]] = {
    "REDIS_HOST": "REDIS_URL",
    "REDIS_PORT": "REDIS_URL",
    "MONGODB_URI": "DATABASE_URL",
}
_ALIKE: Final = 0.85
_FILE: Final = "_FILE"


def sources_of_settings() -> dict[str, str]:
    """For each attribute of `Settings`: the variable that gave its value, or `default`."""
    given = {name for name, text in child_environment({}).items() if text.strip()}
    return {attribute: _source(variable, given) for attribute, variable in FIELDS.items()}


def unknown_variables(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables nobody reads whose name or meaning is nearly one of ours, with the one that is."""
    ours = {name for variable in FIELDS.values() for name in _names(variable)}
    strange = {}
    for name in sorted(child_environment({}) if environment is None else environment):
        if name in ours:
            continue
        close = get_close_matches(name, ours, n=1, cutoff=_ALIKE)
        if meant := _ELSEWHERE.get(name) or next(iter(close), None):
            strange[name] = meant
    return strange


def _source(variable: Variable, given: set[str]) -> str:
    return next((name for name in _names(variable) if name in given), "default")


def _names(variable: Variable) -> list[str]:
    names = [variable.name]
    if variable.alias is not None:
        names.append(variable.alias)
    if variable.is_secret:
        names.append(variable.name + _FILE)
    return names
