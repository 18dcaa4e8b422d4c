"""The helper for TypeScript, run by Node: it agrees with the vectors of the documentation."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from tests.support.kit import vectors, verification

pytestmark = pytest.mark.system

_TYPES = re.compile(r": (?:string|boolean|Buffer|Record<string, string>)(?=[,)= {])")
_JUDGE = """
const cases = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const said = cases.map((one) => isOurs(one.secret, one.headers, Buffer.from(one.body)));
console.log(JSON.stringify(said));
"""


def test_the_helper_agrees_with_the_vectors(tmp_path: Path) -> None:
    # The types are taken away, as a compiler would; the rest runs as it stands on the page.
    text = _TYPES.sub("", verification("ts")).replace("export function", "function")
    text = re.sub(r"import (\{.*?\}) from (\".*?\");", r"const \1 = require(\2);", text)
    script = tmp_path / "kit.cjs"
    script.write_text(text + _JUDGE)
    done = subprocess.run(
        ["node", str(script)],
        input=json.dumps(vectors()).encode(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert json.loads(done.stdout) == [each["isGenuine"] for each in vectors()]
