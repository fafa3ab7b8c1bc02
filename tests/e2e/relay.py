"""A TCP relay to a server, which can be cut: the server is away, and comes back."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CHUNK = 65_536


@dataclass
class Relay:
    """Passes bytes both ways while it is not cut."""

    host: str
    port: int
    listener: socket.socket
    is_cut: threading.Event = field(default_factory=threading.Event)
    open: set[socket.socket] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Where the relay listens, as the server's API."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/api"

    def cut(self) -> None:
        """Close every connection, and every new one at once."""
        self.is_cut.set()
        with self.lock:
            for connection in self.open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let connections through again."""
        self.is_cut.clear()

    def serve(self) -> None:
        """Accept until the listener is closed."""
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.is_cut.is_set():
                client.close()
                continue
            server = socket.create_connection((self.host, self.port))
            with self.lock:
                self.open |= {client, server}
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with self.lock:
            self.open.discard(source)


@contextmanager
def relay_to(api_url: str) -> Iterator[Relay]:
    """A relay on a free port to the server of an API URL."""
    server = urlsplit(api_url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        relay = Relay(server.hostname or "", server.port or 80, listener)
        threading.Thread(target=relay.serve, daemon=True).start()
        try:
            yield relay
        finally:
            relay.cut()
            listener.shutdown(socket.SHUT_RDWR)
