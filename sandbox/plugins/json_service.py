"""JSON over HTTP, by the standard library: `urllib3` would be a quarter of a plugin's start."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from sandbox.plugins.values import Value


class NoConnectionError(Exception):
    """Nothing takes a connection."""


class NoAnswerError(Exception):
    """The request was sent, perhaps in part, and got no answer; `late` when there was no time."""

    def __init__(self, *, late: bool) -> None:
        super().__init__("no answer")
        self.late = late


@dataclass(frozen=True)
class JsonAnswer:
    """An answer, whatever its status."""

    status: int
    content: bytes

    def json(self) -> Value:
        """What it says. Raises ValueError when that is no JSON."""
        return json.loads(self.content)


class JsonService:
    """A service at one http or https URL. Each request has a connection of its own."""

    def __init__(self, url: str, headers: Mapping[str, str], seconds: float) -> None:
        """Send the headers with each request; wait so many seconds for a connection or answer."""
        parts = urlsplit(url)
        self._connection = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port, self._path = parts.hostname or "", parts.port, parts.path
        self._headers = {"Content-Type": "application/json", **headers}
        self._seconds = seconds

    def send(
        self,
        method: str,
        path: str = "",
        body: Value = None,
        headers: Mapping[str, str] | None = None,
    ) -> JsonAnswer:
        """Send a request. Raises NoConnectionError and NoAnswerError."""
        connection = self._connection(self._host, self._port, timeout=self._seconds)
        content = None if body is None else json.dumps(body)
        try:
            try:
                connection.connect()
            except OSError:
                raise NoConnectionError from None
            try:
                target = (self._path + path) or "/"
                connection.request(method, target, content, {**self._headers, **(headers or {})})
                answer = connection.getresponse()
                return JsonAnswer(answer.status, answer.read())
            except TimeoutError:
                raise NoAnswerError(late=True) from None
            except (OSError, HTTPException):
                raise NoAnswerError(late=False) from None
        finally:
            connection.close()
