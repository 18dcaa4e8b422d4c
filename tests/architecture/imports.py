"""How files may lean on one another, as far as one file can tell.

The floors themselves are the import contracts of pyproject.toml; what needs the whole tree at once
(dead modules, package markers) is in test_modules.py.
"""

import ast
from collections.abc import Iterator

from tests.architecture.rule import ALL_PYTHON, Rule, Sample
from tests.architecture.source import Offence, Source, functions


def lazy(source: Source) -> Iterator[Offence]:
    # A file that imports at its top only, as most do, need not be searched function by function.
    within = sum(isinstance(node, ast.Import | ast.ImportFrom) for node in source.nodes)
    if within == sum(isinstance(node, ast.Import | ast.ImportFrom) for node in source.tree.body):
        return
    for one in functions(source):
        for node in ast.walk(one):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield source.offence(node, f"{ast.unparse(node)} inside {one.name}")


def shims(source: Source) -> Iterator[Offence]:
    for node in source.tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_version = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__"
        if not (is_docstring or is_version):
            yield source.offence(node, f"{ast.unparse(node)[:60]}: a package marker holds nothing")


RULES = (
    Rule(
        name="no-lazy-imports",
        law="Imports stand at the top of a file, where a reader and the contracts see them.",
        binds=ALL_PYTHON,
        check=lazy,
        caught=(Sample("src/bursar/store/x.py", "def f():\n    import os"),),
        free=(Sample("src/bursar/store/x.py", "import os\ndef f(): ..."),),
    ),
    Rule(
        name="no-shims",
        law="An __init__.py re-exports nothing: callers import the file that owns the name.",
        binds=("src/*/__init__.py",),
        check=shims,
        caught=(Sample("src/bursar/store/__init__.py", "from bursar.store.invoices import get"),),
        free=(Sample("src/bursar/store/__init__.py", '"""SQL that changes."""'),),
    ),
)
