"""No modules of a package import each other in a circle, not even for type checkers alone."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import pytest

from tests.support.pipeline import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = [
    path.parent / path.parent.name.replace("-", "_")
    for pattern in ("*/pyproject.toml", "plugins/*/pyproject.toml")
    for path in sorted(PROJECT.glob(pattern))
]


def modules(package: Path) -> dict[str, Path]:
    """Files of a package by the names of the modules."""
    found = {}
    for path in package.rglob("*.py"):
        name = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


def imports(module: str, path: Path) -> Iterator[tuple[str, str | None]]:
    """Modules that a module imports, each with the name that it takes from there."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level]
            source = ".".join([*(above if node.level else ()), *filter(None, [node.module])])
            yield from ((source, alias.name) for alias in node.names)


def graph(files: dict[str, Path]) -> dict[str, set[str]]:
    """Which of these modules each of them imports."""
    found: dict[str, set[str]] = {}
    for module, path in files.items():
        sources = imports(module, path)
        # The name may be that of a module.
        wanted = {
            f"{source}.{name}" if f"{source}.{name}" in files else source
            for source, name in sources
        }
        found[module] = wanted & files.keys()
    return found


def assert_no_circle(imported: dict[str, set[str]]) -> None:
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        pytest.fail(" is imported by ".join(error.args[1]), pytrace=False)


def test_packages_are_found() -> None:
    assert {"tap_ynab", "ynab_sandbox"} < {package.name for package in PACKAGES}
    assert all(len(modules(package)) > 1 for package in PACKAGES)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_no_module_imports_itself_through_others(package: Path) -> None:
    assert_no_circle(graph(modules(package)))


def test_no_package_imports_itself_through_others() -> None:
    files = {name: path for package in PACKAGES for name, path in modules(package).items()}
    imported: dict[str, set[str]] = {package.name: set() for package in PACKAGES}
    for module, wanted in graph(files).items():
        own = module.partition(".")[0]
        imported[own] |= {name.partition(".")[0] for name in wanted} - {own}
    assert_no_circle(imported)


@pytest.mark.parametrize(
    "sources",
    [
        {"__init__": "", "a": "import p.b", "b": "from p import a"},
        {"__init__": "from p.a import x", "a": "import p"},
        {
            "__init__": "",
            "a": "def f():\n  from p.b import x",
            "b": "from .c import x",
            "c": "from . import a",
        },
        {"__init__": "", "a": "if TYPE_CHECKING:\n  from .b import x", "b": "from p.a import x"},
    ],
)
def test_a_circle_is_found(tmp_path: Path, sources: dict[str, str]) -> None:
    package = tmp_path / "p"
    package.mkdir()
    for name, source in sources.items():
        (package / f"{name}.py").write_text(source)
    with pytest.raises(pytest.fail.Exception, match=r"p\.a"):
        assert_no_circle(graph(modules(package)))
    (package / "a.py").write_text("import p.other, other")
    assert_no_circle(graph(modules(package)))
