"""A mail server for tests, on this machine."""

from __future__ import annotations

import email
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_END = b".\r\n"


@dataclass
class Mail:
    """Port of the server, and the messages that it has received."""

    port: int
    messages: list[EmailMessage] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The URL that has Apprise send to the server."""
        return f"mailto://127.0.0.1:{self.port}?from=a@example.org&to=b@example.org&mode=insecure"


@contextmanager
def receive_mail() -> Iterator[Mail]:
    """Receive mail until the end of the block."""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self._answer(220)
            for line in self.rfile:
                command = line.split()[0].upper()
                if command == b"DATA":
                    self._answer(354)
                    lines = list(iter(self.rfile.readline, _END))
                    found = email.message_from_bytes(
                        b"".join(lines), EmailMessage, policy=policy.default
                    )
                    mail.messages.append(found)
                self._answer(221 if command == b"QUIT" else 250)

        def _answer(self, code: int) -> None:
            self.wfile.write(b"%d \r\n" % code)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        mail = Mail(server.server_address[1])
        thread = Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield mail
        finally:
            server.shutdown()
            thread.join()
