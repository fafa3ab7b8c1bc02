"""A proxy before a server that notes what is sent, and can misbehave."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import httpx

from sandbox.plugins.values import Value

Fault = Literal["lost before", "lost after", "never answered"] | httpx.Response
"""The request or its answer is lost, or there is none, or this one instead of the server's."""
KEPT_BACK = frozenset(
    {"connection", "content-encoding", "content-length", "host", "transfer-encoding"}
)
LONGEST_SECONDS = 30


@dataclass(frozen=True)
class Sent:
    """A request as it was on the wire."""

    method: str
    path: str
    body: Value
    headers: dict[str, str]
    changes_under_way: int
    """How many requests that change something were under way."""

    @property
    def changes(self) -> bool:
        """Whether a Prefect server is to change something."""
        return self.method != "GET" and not self.path.endswith("/filter")

    @property
    def action(self) -> str:
        """What is asked of AWS."""
        return self.headers["X-Amz-Target"].rpartition(".")[2]


@dataclass
class Wire:
    """What went through the proxy, and the faults still to come."""

    url: str
    """The proxy's address, without a path."""
    target: str
    """The address of the server behind it."""
    client: httpx.Client
    """What asks that server."""
    sent: list[Sent] = field(default_factory=list)
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    unreliable: Callable[[], Fault | None] | None = None
    """Asked for what becomes of each further request."""
    closing: threading.Event = field(default_factory=threading.Event)
    under_way: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(self, method_and_path: str, *faults: Fault) -> None:
        """Let the next requests to the path, such as `POST /api/automations/`, fail like so."""
        self.faults += [(method_and_path, fault) for fault in faults]

    def bodies(self, method_and_path: str) -> list[Value]:
        """The bodies of all requests to the path, in order."""
        return [s.body for s in self.sent if f"{s.method} {s.path}" == method_and_path]

    def changes(self) -> list[str]:
        """What a Prefect server was asked to change, in order."""
        return [f"{s.method} {s.path}" for s in self.sent if s.changes]

    def next_fault(self, method_and_path: str) -> Fault | None:
        """Take the next fault for the path."""
        for index, (wanted, fault) in enumerate(self.faults):
            if wanted == method_and_path:
                del self.faults[index]
                return fault
        return self.unreliable() if self.unreliable else None


@contextmanager
def wire_to(target: str) -> Iterator[Wire]:
    """Stand between a client and the server at `target`, a URL without a path."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    # No connection is kept: a server that ends a kept one would look like one that is down.
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(trust_env=False, timeout=LONGEST_SECONDS, limits=limits) as client:
        wire = Wire(f"http://127.0.0.1:{server.server_port}", target, client)
        server.RequestHandlerClass = type("Handler", (_Handler,), {"wire": wire})
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield wire
        finally:
            wire.closing.set()
            server.shutdown()
            thread.join()
            server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wire: Wire

    def handle(self) -> None:
        """Serve one connection; whoever asked may be killed at any time."""
        with suppress(ConnectionError):
            super().handle()

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        changes = self._noted(content).changes
        try:
            answer = self._served(content)
        finally:
            # Before it is answered: whoever has the answer may send the next change at once.
            with self.wire.lock:
                self.wire.under_way -= changes
        if answer is None:
            self.close_connection = True
        else:
            self._answer(answer)

    def _noted(self, content: bytes) -> Sent:
        with self.wire.lock:
            sent = Sent(
                self.command,
                self.path.partition("?")[0],
                json.loads(content) if content else None,
                dict(self.headers),
                self.wire.under_way,
            )
            self.wire.under_way += sent.changes
            self.wire.sent.append(sent)
            return sent

    def _served(self, content: bytes) -> httpx.Response | None:
        """The answer, or None where it or the request is lost."""
        fault = self.wire.next_fault(f"{self.command} {self.path.partition('?')[0]}")
        if isinstance(fault, httpx.Response):
            return fault
        if fault == "never answered":
            self.wire.closing.wait(LONGEST_SECONDS)
        if fault in {"never answered", "lost before"}:
            return None
        answer = self.wire.client.request(
            self.command,
            self.wire.target + self.path,
            content=content,
            headers={k: v for k, v in self.headers.items() if k.lower() not in KEPT_BACK},
        )
        return None if fault == "lost after" else answer

    def _answer(self, answer: httpx.Response) -> None:
        self.send_response_only(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in KEPT_BACK:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        with suppress(ConnectionError):  # whoever asked may be gone
            self.end_headers()
            self.wfile.write(answer.content)
