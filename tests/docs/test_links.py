"""Links, anchors and paths in the documents lead somewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.described import read
from tests.support.pages import Document, all_pages, page
from tests.support.pipeline import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

each_page = pytest.mark.parametrize("document", all_pages(), ids=lambda document: document.name)


@each_page
def test_links(document: Document) -> None:
    for link in document.links():
        name, _, anchor = link.partition("#")
        target: Path = document.path.parent / name if name else document.path
        assert target.exists(), link
        if anchor:
            assert anchor in Document(target).anchors(), link


def test_readme_links_to_every_document() -> None:
    linked = {(PROJECT / link.partition("#")[0]).resolve() for link in page("README.md").links()}
    own = [d.path for d in all_pages() if d.path.parent in (PROJECT, PROJECT / "docs")]
    assert {path for path in own if path.name != "README.md"} <= linked


@each_page
def test_paths(document: Document) -> None:
    """Paths in sentences, tables and commands exist, except what is built or installed."""
    folders = r"(?:tap-ynab|plugins|demo|docs|tests|benchmarks)/[\w./-]*"
    for word in (word for span in document.spans() for word in span.split()):
        if re.fullmatch(folders, word) and not re.search(r"/(?:dist|\.venvs)\b", word):
            assert (PROJECT / word).exists(), word


def test_files_that_runs_leave_behind_are_ignored_by_git() -> None:
    rows = page("docs/files.md").table("path", "is")
    assert rows
    for cell, _ in rows:
        for path in re.findall(r"`([^`]*)`", cell):
            ignored = "/.venv*/" if path.startswith(".venv") else f"/{path}"
            assert ignored in read(".gitignore").splitlines()
