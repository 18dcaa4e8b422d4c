"""`.env.example` lists every variable that the settings know, with its meaning, and no other."""

from tests.architecture.source import ROOT

from bursar.runtime.settings import FIELDS
from bursar.runtime.settings_text import Variable

HEAD = """\
# Every variable Bursar reads, with what it means when unset. None is required outside production.
# Bursar reads no .env file by itself; to use one: set -a; . ./.env; set +a
# A secret can also be given as a file, by <NAME>_FILE.
"""


def described(variable: Variable) -> str:
    unset = "" if variable.default is not None else f" Unset: {variable.otherwise}."
    alias = f" Also read as {variable.alias}." if variable.alias else ""
    return f"# {variable.meaning}{alias}{unset}\n# {variable.name}={variable.default or ''}\n"


def test_example_is_current() -> None:
    # Whoever copies the example meets every variable once, in the order of the settings.
    wanted = "\n".join([HEAD, *(described(variable) for variable in FIELDS.values())])
    assert (ROOT / ".env.example").read_text() == wanted, f".env.example should read:\n{wanted}"
