"""Answers of YNAB with something odd in them: the same for the same number."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ynab_sandbox import Sandbox

Headers = list[tuple[str, str]]


def _nested(levels: int) -> str:
    return "[" * levels + "]" * levels


#: What no `json.dumps` would write; it comes where a text of this kind stands in a document.
RAW = [
    *("NaN", "-Infinity", "1e999999999", "-1e-999999999", "1e99999999999999999999", "-0", "01"),
    *("1" * 5_000, "9" * 4_000, f"0.{'1' * 5_000}", "1" * 100_000, "0.1e1", "", "tru", "'a'"),
    *(_nested(20), _nested(120), _nested(20_000), "[" * 50_000),
    '{"a":' * 60 + "1" + "}" * 60,
    f"[{', '.join(['{}'] * 300_000)}]",
    f"[{', '.join(['{}'] * 1_500_000)}]",
    f'{{"{"k" * 500_000}": {{"a": {{"b": [{", ".join(["{}"] * 50_000)}]}}}}}}',
    '{"a": 1, "a": [2], "": {"": ""}}',
    r'"\ud800"',
    r'"\u0000"',
    r'"\x"',
    '"\t"',
    f'"{"x" * 1_000_000}"',
    f'"{"x" * 6_000_000}"',
    f'"{chr(92) * 3_000_000}"',
    f'"é{"x" * 500_000}👩"',
]
_RAW = re.compile(r'"\(raw (\d+)\)"')
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**63, -(2**63), 10**30, 0.5, -0.0, 1e300),
    *("", " ", "x", "0", "null", "true", "2026-11-01", "9999-12-31", "2026-02-30", "a\nb\x1b[31m"),
    *("\x00", "\u2028", "\ud800", "../..", "?a=b#c", "-" * 600, "Zwölf 👩", "%s {0} {{"),
    *([], [[]], [None], [{}], {}, {"id": None}, {"id": "x"}, {"item": [1]}, {"item": {"item": 1}}),
    *(f"(raw {number})" for number in range(len(RAW))),
]
KEYS = ["id", "name", "item", "data", "", "deleted", "month", "new", "a.b", "server_knowledge"]
HEADERS: dict[str, list[str]] = {
    "Date": [
        *("", "soon", "0", "Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -1200"),
        *("Sat, 21 Nov 2026 12:00:00", "Sat, 21 Nov 2026 12:00:00 +9999", "x" * 5_000),
    ],
    "Retry-After": [
        *("0", "-1", "nan", "inf", "1e400", "999999999", "", "soon"),
        *("Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 21 Nov 2026 12:00:00"),
    ],
    "Content-Type": ["text/html", "", "application/json; charset=utf-16", "\x80"],
    "Content-Encoding": ["gzip", "deflate", "br", "identity", "gzip, gzip", "x"],
    "Content-Length": ["0", "1", "-1", "99999999", "x", ""],
    "Transfer-Encoding": ["chunked", "x"],
    "Location": ["/v1/plans", "http://127.0.0.1:1/", "http://[", "", "\x80"],
    "Set-Cookie": ['a="; expires=never; max-age=x', "=", "a=b; domain=.com"],
    "X-Odd": ["x" * 60_000, "\x00"],
}
STATUSES = [200, 201, 204, 206, 301, 302, 304, 400, 401, 403, 404, 409, 418, 429, 500, 503, 599]
ERRORS: list[Any] = [
    None,
    [],
    {"error": None},
    {"error": {"id": ["404.2"], "detail": {"a": 1}}},
    {"error": {"id": "404.2", "name": "n", "detail": "x\x1b[31m\n" * 500}},
    {"error": {"id": "403.1", "detail": "(token)"}},
    {"error": {"id": "\ud83d", "detail": "half \ud83d pair \x00 (token)"}},
]


# Edits of one place in a document: of a list or an object, at an index or a key.


def replace(random: Random, place: Any, key: Any) -> None:
    place[key] = random.choice(VALUES)


def drop(_: Random, place: Any, key: Any) -> None:
    del place[key]
    if not place and isinstance(key, int):
        place.append(None)


def repeat(random: Random, place: Any, key: Any) -> None:
    if isinstance(place, list):
        place[key:key] = [place[key]] * random.choice([1, 50])
    else:
        place[random.choice(KEYS)] = place[key]


def rename(random: Random, place: Any, key: Any) -> None:
    if isinstance(place, dict):
        place[random.choice(KEYS)] = place.pop(key)


def wrap(random: Random, place: Any, key: Any) -> None:
    place[key] = random.choice([[place[key]], {"item": place[key]}, {"": place[key]}])


def retype(_: Random, place: Any, key: Any) -> None:
    value = place[key]
    if isinstance(value, dict):
        place[key] = list(value.values())
    elif isinstance(value, list):
        place[key] = {str(number): one for number, one in enumerate(value)}
    else:
        place[key] = len(value) if isinstance(value, str) else str(value)


def add(random: Random, place: Any, _key: Any) -> None:
    value = random.choice(VALUES)
    if isinstance(place, dict):
        place[random.choice(KEYS)] = value
    else:
        place.append(value)


EDITS = [replace, replace, replace, drop, drop, repeat, rename, wrap, retype, add]


class Mutator:
    """Makes the answers of an account odd."""

    def __init__(self, number: int) -> None:
        """Choose the answers to change, and the kinds of changes."""
        self._random = Random(number)  # noqa: S311 no secret
        paths = [
            *(
                "/plans$",
                "accounts$",
                "categories$",
                "payees$",
                "payee_locations$",
                "transactions$",
            ),
            *("scheduled_transactions$", "months$", "movements$", "movement_groups$", "-[^/]*$"),
            *("/months/", "", "plans/"),
        ]
        self._path = self._random.choice(paths)
        self._changes = self._random.choices(
            [self._document, self._text, self._headers, self._status], [12, 2, 2, 1], k=2
        )

    def __call__(self, path: str, body: bytes, token: str) -> tuple[int, Headers, bytes]:
        """Return status, headers and body of an answer."""
        self._token, self._code, self._head, self._body = token, 200, Headers(), body
        if re.search(self._path, path):
            for change in self._changes:
                change()
        return self._code, self._head, self._body

    def _document(self) -> None:
        with contextlib.suppress(ValueError):
            document = [json.loads(self._body)]
            for _ in range(self._random.choice([1, 1, 2, 4, 20])):
                self._change(document)
            text = json.dumps(document[0], ensure_ascii=self._random.random() < 0.5)
            plain = _RAW.sub(lambda found: RAW[int(found[1])], text)
            self._body = plain.encode("utf-8", "surrogatepass")

    def _change(self, document: list[Any]) -> None:
        """Change one place, which may be as deep as it gets."""
        place: Any = document
        key: Any = 0
        while isinstance(place[key], (dict, list)) and place[key]:
            if place is not document and self._random.random() < 0.15:
                break
            place = place[key]
            key = (
                self._random.choice(list(place))
                if isinstance(place, dict)
                else min(self._random.randrange(len(place)), self._random.randrange(len(place)))
            )
        self._random.choice(EDITS)(self._random, place, key)

    def _text(self) -> None:
        body, at = self._body, self._random.randrange(len(self._body) + 1)
        odd = self._random.choice(
            [b"\x00", b"\xff\xfe", b'"', b"\\", b"[" * 500, b"}", b"1" * 5_000]
        )
        other = self._random.randrange(len(body) + 1)
        self._body = self._random.choice(
            [
                body[:at],
                body[:at] + odd + body[at:],
                body[:at] + body[at + 1 :],
                body[:at] + body[other:],
                body * 2,
                b"\xef\xbb\xbf" + body,
                body.decode("utf-8", "replace").encode("utf-16"),
                b" " * 3_000_000 + body,
                odd,
                b"",
            ]
        )

    def _headers(self) -> None:
        name = self._random.choice(list(HEADERS))
        value = self._random.choice(HEADERS[name])
        if (name, value) == ("Content-Encoding", "gzip") and self._random.random() < 0.8:
            self._body = gzip.compress(self._body)
        # Of two lengths, urllib3 forgets to close the connection, which the tests' Python warns of.
        self._head = [*(one for one in self._head if one[0] != name), (name, value)]

    def _status(self) -> None:
        self._code = self._random.choice(STATUSES)
        self._headers()
        if self._random.random() < 0.7:
            error = json.dumps(self._random.choice(ERRORS)).replace("(token)", self._token)
            self._body = error.encode()


class Handler(BaseHTTPRequestHandler):
    """Serves what a mutator makes of the sandbox's answers."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    sandbox: Sandbox
    mutator: Mutator

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def handle(self) -> None:
        """Serve a connection, which the client may end at any time."""
        with contextlib.suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        """Respond."""
        url = urlsplit(self.path)
        token = self.headers["Authorization"].removeprefix("Bearer ")
        answer = self.sandbox.answer(
            url.path.removeprefix("/v1"), dict(parse_qsl(url.query)), self.sandbox.token
        )
        plain = b"".join(answer.body.plain())
        status, headers, body = self.mutator(url.path, plain, token)
        status = answer.status if answer.status != 200 else status
        self.close_connection = True
        self.send_response_only(status)
        names = {name for name, _ in headers}
        for name, value in [
            ("Date", self.sandbox.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT")),
            ("Content-Length", str(len(body))),
        ]:
            if name not in names:
                self.send_header(name, value)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def serve_mutated(sandbox: Sandbox, number: int) -> Iterator[str]:
    """Where a mutated account answers, while the context lasts."""
    handler = type("Bound", (Handler,), {"sandbox": sandbox, "mutator": Mutator(number)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()
