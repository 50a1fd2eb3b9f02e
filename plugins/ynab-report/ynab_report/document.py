"""The page as one text: template, style, scripts, Chart.js and data, with nothing from elsewhere.

`data` -> this -> `files`. The parts are in the folder `page`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

import rjsmin

if TYPE_CHECKING:
    from collections.abc import Mapping

#: In the order in which they run, all in one function.
SCRIPTS = (
    "dom.js",
    "dates.js",
    "money.js",
    "budget.js",
    "charts.js",
    "worth.js",
    "flow.js",
    "spending.js",
    "assigned.js",
    "ahead.js",
    "ledger.js",
    "trust.js",
    "main.js",
)
#: Inside a script element these could end it, or begin a comment.
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


def document(data: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        data: Its data, as `data.arrange` or `redact` returns it.
    """
    style = _part("style.css")
    library = rjsmin.jsmin(_chart_js(), keep_bang_comments=True)  # its licence is such a comment
    script = _script()
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash(library)} {_hash(script)}",
            f"style-src {_hash(style)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    parts = {
        "policy": policy,
        "style": style,
        "library": library,
        "data": _json(data),
        "script": script,
    }
    return re.sub("%([a-z]+)%", lambda marker: parts[marker[1]], _part("page.html"))


def _chart_js() -> str:
    package = resources.files("chartkick")
    path = package / "django" / "static" / "chartkick" / "Chart.bundle.js"
    return path.read_text(encoding="utf-8")


def _script() -> str:
    body = "\n".join(_part(name) for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{body}}})();\n'


def _part(name: str) -> str:
    return (resources.files("ynab_report") / "page" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _json(data: Mapping[str, Any]) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text
