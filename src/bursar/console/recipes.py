"""The same question for a program: as curl and at the command line, without any secret in it."""

import shlex
from dataclasses import dataclass

from bursar.console.asking import Question
from bursar.console.visits import Visit


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to ask without the console."""

    name: str
    text: str


def recipes(visit: Visit, question: Question, command: str = "") -> list[Recipe]:
    """How to ask this elsewhere."""
    url = shlex.quote(f"{visit.app.settings.public_url}{question.target}")
    curl = f'curl {url} -H "Authorization: Bearer $BURSAR_API_KEY"'
    told = [Recipe("curl", curl)]
    if command:
        told.append(Recipe("CLI", f"{command} --org {visit.asker.org_id}"))
    return told
