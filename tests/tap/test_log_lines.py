"""What a server, a budget or a file says can't end a line of the log, nor control a terminal."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from tap_ynab.logs import printable

from tests.support.runs import failed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ynab_sandbox import Sandbox
    from ynab_sandbox.budget import Budget

    from tests.support.pipeline import Finished, Tap

#: A line of its own, a terminal's escape sequences (ESC, and CSI as one byte), lines as Unicode has
#: them, text from right to left.
HOSTILE = "a\nFATAL: b\r\x1b]0;c\x07\x1b[2J\x9b31m\x85\u2028\u2029\u202ed\u2066\x7f\x00\ufeff\ud83d"
FORBIDDEN = {*HOSTILE} - {*"a FATAL: b]0;c[2J31md\n"}
#: A logging configuration of the user's, as Meltano sets one, too.
LOG_CONFIGS = {
    "plain": {"format": "%(name)s: %(message)s"},
    "json": {"()": "singer_sdk.logging.StructuredFormatter"},
}


def assert_harmless(finished: Finished) -> None:
    assert not FORBIDDEN.intersection(finished.log), finished.log
    assert not [line for line in finished.log.splitlines() if line.startswith("FATAL")]


@contextmanager
def answering(status: int, body: bytes = b"", reason: str = "", **headers: str) -> Iterator[str]:
    """Serve one response, whatever is requested."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(f"HTTP/1.1 {status} {reason}\r\n".encode("latin-1"))
            sent = {"Content-Length": str(len(body)), "Connection": "close", **headers}
            for name, value in sent.items():
                self.wfile.write(f"{name}: {value}\r\n".encode("latin-1"))
            self.wfile.write(b"\r\n" + body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Our Household", "Our Household"),
        ("Zwölf 予算 'quoted' \\", "Zwölf 予算 'quoted' \\"),
        ("two\nlines\r\t", r"two\nlines\r\t"),
        ("\x1b[31mred\x7f\0\x9b", r"\x1b[31mred\x7f\x00\x9b"),
        ("\u202eright to left\u2028\ufeff", r"\u202eright to left\u2028\ufeff"),
        ("half \ud83d", r"half \ud83d"),
    ],
)
def test_text_for_the_log_is_one_line_without_control_characters(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("status", [400, 401, 404, 409, 429, 500])
@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_a_hostile_detail(tap: Tap, status: int, level: str) -> None:
    tap.environment["LOGLEVEL"] = level
    body = json.dumps({"error": {"id": HOSTILE, "name": HOSTILE, "detail": HOSTILE}}).encode()
    with answering(status, body) as url:
        finished = tap.run(api_url=url, max_retry_time=0, wait_for_limit=False)
    failed(finished)
    assert_harmless(finished)


@pytest.mark.parametrize("status", [400, 404, 500, 999])
def test_a_hostile_reason(tap: Tap, status: int) -> None:
    reason = "a\x1b[2J\x9b31m\x85\x7fb\x07"
    with answering(status, b"no JSON", reason) as url:
        finished = tap.run(api_url=url, max_retry_time=0)
    assert r"\x1b[2J" in failed(finished)
    assert_harmless(finished)


@pytest.mark.parametrize("formatter", LOG_CONFIGS)
def test_a_log_configuration_of_the_users_changes_nothing(
    tap: Tap, tmp_path: Path, formatter: str
) -> None:
    config = tmp_path / "log.json"
    handler = {"class": "logging.StreamHandler", "formatter": "f", "stream": "ext://sys.stderr"}
    content: dict[str, Any] = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"f": LOG_CONFIGS[formatter]},
        "handlers": {"h": handler},
        "root": {"level": "INFO", "handlers": ["h"]},
    }
    config.write_text(json.dumps(content))
    tap.environment["SINGER_SDK_LOG_CONFIG"] = str(config)
    with answering(404, json.dumps({"error": {"id": "404", "detail": HOSTILE}}).encode()) as url:
        finished = tap.run(api_url=url, max_retry_time=0)
    assert "FATAL" in finished.log
    last = finished.log.splitlines()[-1]
    message = json.loads(last)["message"] if formatter == "json" else last
    assert not FORBIDDEN.intersection(message)
    assert "\n" not in message
    assert_harmless(finished)


@pytest.mark.parametrize(
    "location", ["http://[evil", "http://\x1b[2Jevil/", "//", "\x9b", "http://evil:x/", ""]
)
def test_a_hostile_redirect(tap: Tap, location: str) -> None:
    with answering(302, Location=location) as url:
        finished = tap.run(api_url=url, max_retry_time=0)
    failed(finished)
    assert_harmless(finished)


def test_a_description_nested_deep(tap: Tap) -> None:
    with answering(404, b'{"error":' + b"[" * 100_000) as url:
        finished = tap.run(api_url=url, max_retry_time=0)
    assert "404" in failed(finished)


@pytest.mark.parametrize("fault", [None, "500", "404"])
def test_a_hostile_name_of_a_budget(
    tap: Tap, sandbox: Sandbox, budget: Budget, fault: str | None
) -> None:
    budget.name = HOSTILE.replace("\ud83d", "").replace("\x00", "")
    if fault:
        sandbox.fail(fault, path="/payees|plans/[^/]+$", times=99)
    finished = tap.run(max_retry_time=0)
    assert r"a\nFATAL: b\r\x1b]0;c" in finished.log
    assert_harmless(finished)


def test_hostile_ids_of_budgets(tap: Tap) -> None:
    body = json.dumps({"data": {"plans": [{"id": HOSTILE, "name": HOSTILE}]}}).encode()
    with answering(200, body) as url:
        finished = tap.run(api_url=url, budget_ids=["b1", HOSTILE])
        failed(finished)
        assert_harmless(finished)
        assert_harmless(tap.run(api_url=url, max_retry_time=0))


def test_a_hostile_state(tap: Tap, first: Finished) -> None:
    state = first.state
    state["bookmarks"][HOSTILE] = {"partitions": 5}
    clean = HOSTILE.replace("\ud83d", "")
    state["bookmarks"]["payees"]["partitions"][0]["context"]["budget_id"] = clean
    finished = tap.run(state=state)
    assert "The state is damaged" in finished.log
    assert "no longer in this account" in finished.log
    assert_harmless(finished)
