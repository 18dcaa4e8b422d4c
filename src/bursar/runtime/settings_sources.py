"""Where a setting's text comes from: the environment, a file it names, or a key of our own.

Owns the rule that a secret is given once, and what is said when it cannot be read. A text is never
quoted in what is said of it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bursar.runtime import settings_text as text
from bursar.runtime.secret import Secret, kept_text
from bursar.runtime.settings_text import Variable

_SECRET_FILE_BYTES_MAX: Final = 65_536


class SettingsInvalid(Exception):
    """A variable is missing or has a value that cannot be used; one line, fit for an operator."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name


def value_of(variable: Variable, variables: Mapping[str, str]) -> object:
    """What a variable is set to, read as what it means; None when it is not set.

    Raises:
        SettingsInvalid: it cannot be read.
    """
    given = _text_of(variable, variables)
    if given is None:
        return None
    if not given.isprintable():
        raise SettingsInvalid(variable.name, "holds a line break or another control character.")
    try:
        return variable.parse(given)
    except ValueError as refused:
        raise SettingsInvalid(variable.name, f"{refused}.") from None


def _text_of(variable: Variable, variables: Mapping[str, str]) -> str | None:
    given = variables.get(variable.name, "").strip()
    if not given and variable.alias is not None:
        given = variables.get(variable.alias, "").strip()
    if variable.is_secret:
        name = f"{variable.name}_FILE"
        path = variables.get(name, "").strip()
        if path and given:
            raise SettingsInvalid(variable.name, f"is given twice, also by {name}; keep one.")
        if path:
            return _text_of_file(name, Path(path))
    return given or variable.default


def _text_of_file(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            given = file.read(_SECRET_FILE_BYTES_MAX).decode().strip()
    except OSError as failed:
        raise SettingsInvalid(name, f"cannot read {path}: {failed.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingsInvalid(name, f"{path} is not UTF-8 text.") from None
    if not given:
        raise SettingsInvalid(name, f"{path} is empty.")
    return given


def kept_secret(data_dir: Path) -> Secret:
    """The key of this folder, made at the first start.

    Raises:
        SettingsInvalid: the folder or the key in it cannot be used.
    """
    path = data_dir / "secret_key"
    try:
        return text.root_secret(kept_text(path))
    except OSError as failed:
        raise SettingsInvalid("DATA_DIR", f"cannot use {data_dir}: {failed.strerror}.") from None
    except ValueError:
        raise SettingsInvalid("SECRET_KEY", f"{path} is damaged; restore or remove it.") from None
