"""The files that pages load: ours or as their makers published them, kept by name for ever."""

import hashlib
import json
from pathlib import Path

import pytest
from tests.api.client import Client
from tests.console.browser import read, text_of
from tests.console.conftest import Stage

from bursar import api, console
from bursar.console.assets import PATHS
from bursar.domain.access import Role

VENDORED = [Path(str(floor.__file__)).parent / "static" / "vendored" for floor in (api, console)]


@pytest.mark.parametrize("folder", VENDORED, ids=["api", "console"])
def test_what_others_wrote_is_as_they_published_it(folder: Path) -> None:
    # Each file has its origin, its licence beside it, and the checksum it came with.
    origins = json.loads((folder / "origins.json").read_text())
    files = {each.name for each in folder.iterdir() if each.suffix == ".js"}
    assert files == origins.keys()
    for name, origin in origins.items():
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        assert found == origin["sha256"], name
        assert (folder / f"{name.partition('.')[0]}.LICENSE").is_file()
        assert origin["integrity"].startswith("sha512-")


@pytest.mark.parametrize("name", PATHS)
async def test_files_are_kept_for_ever(name: str, anyone: Client) -> None:
    # Under the name with its hash and no other, whoever asks.
    answer = await anyone.get(PATHS[name])
    assert (answer.status, answer.headers["cache-control"]) == (
        200,
        "public, max-age=31536000, immutable",
    )
    head, _, ending = PATHS[name].rpartition(".")
    assert (await anyone.get(f"{head}0.{ending}")).status == 404


async def test_figures_are_a_table_too(stage: Stage) -> None:
    # What a chart draws stands in a table, each figure with the number it is drawn by.
    for place in ("", "/analytics", "/analytics?from=2026-01-01&to=2026-02-01&interval=day"):
        answer = await stage.owner.see(place)
        assert answer.status == 200, answer.body
        page = read(answer)
        assert {"figure", "table", "script"} <= set(page.tags), place
        assert {"data-value", "data-chart"} <= page.attributes
        assert "What moved it" in text_of(answer)


async def test_analytics_by_role(stage: Stage) -> None:
    # The page is refused to whoever may not see invoices, and a wrong span is said in words.
    assert (await stage.owner.see("/analytics?from=2026-02-01&to=2026-01-01")).status == 400
    assert (await stage.browsers[Role.VIEWER].see("/analytics")).status == 200
