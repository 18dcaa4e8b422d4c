"""The repository as the rules see it: files, their syntax trees, and the offences found in them.

Knows nothing of any rule. Files are read once per run, and the tree is walked, not asked of git,
so that the rules also hold in an unpacked archive.
"""

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]

# Folders that are never tracked; see .gitignore.
UNTRACKED = frozenset(
    {
        ".bursar",
        ".git",
        ".hypothesis",
        ".idea",
        ".import_linter_cache",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".venv",
        ".vscode",
        "__pycache__",
        "build",
        "dist",
        "htmlcov",
        "node_modules",
        "proof-results",
    },
)
BINARY = frozenset({".ico", ".pdf", ".png", ".pyc", ".swp", ".ttf", ".woff2"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Offence:
    """One place that breaks a rule."""

    path: str
    line: int
    note: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.note}"


@dataclass(frozen=True, slots=True)
class Source:
    """One text file, by its path from the root of the repository."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return parsed(self.path, self.text)

    @property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All of the tree, as `ast.walk` has it."""
        return walked(self.path, self.text)

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def module(self) -> str:
        """The dotted name by which Python imports this file."""
        parts = list(PurePosixPath(self.path).with_suffix("").parts)
        if parts[0] == "src":
            parts = parts[1:]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def offence(self, at: ast.AST | int, note: str) -> Offence:
        line = at if isinstance(at, int) else getattr(at, "lineno", 1)
        return Offence(self.path, line, note)


@cache
def parsed(path: str, text: str) -> ast.Module:
    return ast.parse(text, filename=path)


@cache
def walked(path: str, text: str) -> tuple[ast.AST, ...]:
    """Each of some forty rules looks at every node: the walk is made once for all of them."""
    return tuple(ast.walk(parsed(path, text)))


@cache
def tracked() -> tuple[Source, ...]:
    """Every text file of the repository."""
    found: list[Source] = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in UNTRACKED)
        for path in (Path(folder, name) for name in sorted(names)):
            if path.suffix in BINARY or path.name == ".env" or not path.is_file():
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            found.append(Source(path.relative_to(ROOT).as_posix(), text))
    return tuple(found)


def python(*roots: str) -> list[Source]:
    """Every Python file below these folders."""
    return [one for one in tracked() if one.path.endswith(".py") and one.path.startswith(roots)]


def functions(source: Source) -> tuple[Function, ...]:
    """Every function of a file, wherever it stands; sifted out once for all rules."""
    return sifted(source.path, source.text)


@cache
def sifted(path: str, text: str) -> tuple[Function, ...]:
    return tuple(
        node
        for node in walked(path, text)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def public_functions(source: Source) -> Iterator[Function]:
    """The functions a module offers: at its top level, without a leading underscore."""
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith(
            "_"
        ):
            yield node


def dotted(node: ast.AST | None) -> str:
    """`a.b.c` for a chain of names, and an empty string for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return f"{left}.{node.attr}" if left else ""
    return ""


def decorators(function: Function | ast.ClassDef) -> dict[str, ast.expr]:
    """The last name of each decorator, with the decorator itself."""
    found = {}
    for one in function.decorator_list:
        called = one.func if isinstance(one, ast.Call) else one
        found[dotted(called).rpartition(".")[2]] = one
    return found


def names_used(source: Source) -> frozenset[str]:
    """Every identifier a file reads, bare, behind a dot or by import."""
    return used(source.path, source.text)


@cache
def used(path: str, text: str) -> frozenset[str]:
    found: set[str] = set()
    for node in walked(path, text):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.alias):
            found.add(node.name)
    return frozenset(found)
