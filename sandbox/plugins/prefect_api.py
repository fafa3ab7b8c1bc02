"""A Prefect server's API: as patient as one on SQLite needs, and clear when it fails."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.plugins.errors import ProviderError
from sandbox.plugins.guard import without_credentials
from sandbox.plugins.json_service import (
    JsonAnswer,
    JsonService,
    NoAnswerError,
    NoConnectionError,
)
from sandbox.plugins.values import Value

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
# Said by a server that is busy, or by a proxy whose server is: the same may succeed soon.
BUSY = frozenset({502, 503, 504})
UNAUTHORIZED, REFUSED, SERVER_ERROR = frozenset({401, 403}), frozenset({400, 422}), 500
OK, CREATED, NO_CONTENT, NOT_FOUND, CONFLICT = 200, 201, 204, 404, 409
ANSWERS = frozenset({OK, CREATED, NO_CONTENT, NOT_FOUND, CONFLICT})
PROBLEMS_SHOWN = 3

Recover = Callable[[datetime], Value]


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server, in seconds."""

    unreachable: float = 5.0
    """For one that takes no connection."""
    answer: float = 10.0
    """For the answer to one request."""
    total: float = 30.0
    """For a request with all its repetitions, and for its turn to be sent."""


@dataclass(frozen=True)
class Answer:
    """What the server answered to a request."""

    status: int
    body: Value
    repeated: bool
    """Whether an earlier attempt got no answer and may have been carried out."""


class _NotNowError(Exception):
    """One attempt failed in a way that may pass."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


class PrefectApi:
    """The API at one address.

    Its methods raise ProviderError when the server stays unreachable, slow or busy, when it refuses
    the credentials or the request, and when it is no Prefect server. No message holds what was
    sent, although the server's own do.
    """

    def __init__(self, endpoint: str, headers: dict[str, str], patience: Patience) -> None:
        self._address = without_credentials(endpoint)
        self._patience = patience
        self._writer = threading.Lock()
        self._cancelled = threading.Event()
        self._service = JsonService(endpoint, headers, patience.answer)

    def cancel(self) -> None:
        """Let nothing be tried again."""
        self._cancelled.set()

    def read(self, method: str, path: str, body: Value = None) -> Answer:
        """Ask for something."""
        return self._persist(method, path, body, None)

    def write(
        self, method: str, path: str, body: Value = None, recover: Recover | None = None
    ) -> Answer:
        """Change something, one change at a time: SQLite answers 503 to concurrent writers.

        `recover` is asked before a request is repeated that may have been carried out. It gets the
        time of the first attempt and returns what that attempt made, or None.
        """
        if not self._writer.acquire(timeout=self._patience.total):
            raise self._error("is kept busy by other changes", "Deploy again when it is idle.")
        try:
            return self._persist(method, path, body, recover)
        finally:
            self._writer.release()

    def attempt(
        self, method: str, path: str, body: Value = None, *, repeated: bool = False
    ) -> Answer:
        """Send a request once; for use within `recover`, whose failures are tried again too."""
        try:
            response = self._service.send(method, path, body)
        except NoConnectionError:
            raise _NotNowError("takes no connection", sent=False) from None
        except NoAnswerError as failure:
            late = f"gave no answer within {self._patience.answer:g} s"
            what = late if failure.late else "closed the connection without an answer"
            raise _NotNowError(what, sent=True) from None
        if response.status in BUSY:
            raise _NotNowError(f"is busy (HTTP {response.status})", sent=True)
        return Answer(response.status, self._content(response), repeated)

    def _persist(self, method: str, path: str, body: Value, recover: Recover | None) -> Answer:
        first_attempt, started = datetime.now(UTC), time.monotonic()
        pause, repeated = FIRST_PAUSE_SECONDS, False
        while True:
            try:
                if repeated and recover and (made := recover(first_attempt)) is not None:
                    return Answer(CREATED, made, repeated)
                return self.attempt(method, path, body, repeated=repeated)
            except _NotNowError as failure:
                repeated = repeated or failure.sent
                limit = self._patience.total if repeated else self._patience.unreachable
                waited = time.monotonic() - started
                if waited + pause > limit or self._cancelled.wait(pause):
                    raise self._error(
                        f"{failure}; gave up after {waited:.0f} s",
                        "Check that the server is up and that the provider's endpoint names it.",
                    ) from None
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _content(self, response: JsonAnswer) -> Value:
        status = response.status
        if status in UNAUTHORIZED:
            raise self._error(
                f"refused the credentials (HTTP {status})",
                "Set the provider's apiKey or basicAuthKey to one that the server accepts.",
            )
        if status == NO_CONTENT:
            return None
        if status >= SERVER_ERROR:
            raise self._error(f"failed (HTTP {status})", "Its log says why.")
        body = _json(response)
        if status in REFUSED and body:
            raise self._error(f"refused the request (HTTP {status})", _problems(body))
        # A missing object has a text of its own; this one is for a path the server does not know.
        if status not in ANSWERS or body is None or body == {"detail": "Not Found"}:
            raise self._error(
                f"is no Prefect API (HTTP {status})",
                "The provider's endpoint must be the server's address followed by /api.",
            )
        return body

    def _error(self, what: str, remedy: str) -> ProviderError:
        return ProviderError(f"The Prefect server at {self._address} {what}. {remedy}")


def _json(response: JsonAnswer) -> Value:
    try:
        return response.json()
    except ValueError:
        return None


def _problems(body: Value) -> str:
    """Say what a 422 complains of, without the values it repeats."""
    details = body.get("exception_detail", []) if isinstance(body, dict) else []
    # Of a trigger that is of none of the allowed kinds, what is wrong with its own kind matters.
    own = [detail for detail in details if detail["type"] == "value_error"]
    found: dict[str, None] = {}
    for detail in own or details:
        place = [str(part) for part in detail["loc"][1:]]
        # What a complaint about block data says could quote the data.
        message = "is not valid" if "data" in place else detail["msg"]
        found[f"{place[0] if place else 'body'}: {message}."] = None
    return " ".join(list(found)[:PROBLEMS_SHOWN]) or "It gave no reason."
