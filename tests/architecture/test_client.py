"""The Python client says what the API says, and needs nothing of the server's."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from tests.support import client_models, client_writer

from bursar.api.errors import CODES, PROTOCOL_CODES
from bursar.api.rooms import ROUTES
from bursar_client import rooms
from bursar_client.client import Bursar
from bursar_client.refusals import BY_CODE

STREAMED = "text/event-stream"


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return client_writer.files()


@pytest.mark.parametrize("name", ["client.py", "models.py", "rooms.py"])
def test_the_written_half_is_current(name: str, written: dict[str, str]) -> None:
    # Whoever changes a route changes the client by `make client`, in the same commit.
    assert (client_writer.FOLDER / name).read_text() == written[name], "run `make client`"


def test_every_operation_is_a_method() -> None:
    # Each under its tag and by its name; but for the stream, which a program reads by the list.
    bursar = Bursar("http://localhost:1")
    for route in ROUTES:
        room = getattr(bursar, client_models.attribute(route.tag))
        assert isinstance(room, rooms.Room)
        has_it = callable(getattr(room, client_models.snake(route.name), None))
        assert has_it is (route.terms.media != STREAMED), route.name


def test_every_code_is_a_class() -> None:
    # What the API may refuse with is caught by name.
    assert BY_CODE.keys() == {code.code for code in (*CODES.values(), *PROTOCOL_CODES)}


def test_it_stands_alone() -> None:
    # Another program imports all of it beside msgspec, and nothing of the server's comes along.
    libraries = Path(msgspec.__file__).parents[1]
    script = (
        f"import sys; sys.path[:0] = [{str(client_writer.FOLDER.parent)!r}, {str(libraries)!r}]; "
        "import bursar_client.client; "
        "tops = {name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names; "
        "tops -= {'typing_extensions'}; "  # which msgspec takes where it is there
        "print(sorted(name for name in tops if not name.startswith('_')))"
    )
    told = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "['bursar_client', 'msgspec']"
