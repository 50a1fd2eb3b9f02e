"""The project's Markdown files, and the tables, code, commands and links in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.pipeline import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
#: Separators between the commands of a line of shell.
_BETWEEN = re.compile(r"\|\|?|&&|;|\$\(|\d?>>?(?:&\d)?\s*[\w./-]*")


@dataclass
class Document:
    """A Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path within the project."""
        return self.path.relative_to(PROJECT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """The text without fenced code."""
        return _FENCED.sub("", self.text)

    def code(self, language: str) -> list[str]:
        """Fenced blocks in a language; with an empty name, those without one."""
        return [body for name, body in _FENCED.findall(self.text) if name == language]

    def spans(self) -> list[str]:
        """Code in sentences and tables."""
        return _SPAN.findall(self.prose)

    def table(self, *header: str) -> list[tuple[str, ...]]:
        """Rows of the table that has this header."""
        lines = iter(self.text.splitlines())
        for line in lines:
            if _cells(line) == header:
                next(lines)
                return [cells for cells in map(_cells, _until_blank(lines)) if cells]
        raise AssertionError(f"{self.name} has no table {header}")

    def links(self) -> list[str]:
        """Targets of links within the project."""
        targets = _LINK.findall(self.prose)
        return [target for target in targets if not re.match(r"[a-z]+:", target)]

    def anchors(self) -> set[str]:
        """Headings as links spell them."""
        found = _HEADING.findall(self.prose)
        return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}

    def commands(self, program: str) -> list[list[str]]:
        """Arguments of each call of a program, in blocks and sentences."""
        blocks = (*self.code("console"), *self.code(""), *self.code("bash"))
        lines = [line for block in blocks for line in block.splitlines()] + self.spans()
        return [call for line in lines for call in calls(line, program)]


def calls(line: str, program: str) -> Iterator[list[str]]:
    """Arguments of each call of a program in a line of shell."""
    # Quoted text can contain separators, and is no command.
    for part in _BETWEEN.split(re.sub(r"'[^']*'", "''", line.removeprefix("$ "))):
        words = part.split()
        if words and words[0].rpartition("/")[2] == program:
            yield words[1:]


def page(name: str) -> Document:
    """The document at a path within the project."""
    return Document(PROJECT / name)


def all_pages() -> list[Document]:
    """Every document of the project, without those of installed packages."""
    paths = [path.relative_to(PROJECT) for path in sorted(PROJECT.rglob("*.md"))]
    return [
        Document(PROJECT / path)
        for path in paths
        if not any(part.startswith(".") for part in path.parts)
    ]


def code_of(cell: str) -> str:
    """Text of a table cell that is code."""
    return cell.strip("`")


def _cells(line: str) -> tuple[str, ...]:
    if not line.startswith("|"):
        return ()
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))


def _until_blank(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if not line.strip():
            return
        yield line
