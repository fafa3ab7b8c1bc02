"""Prefect's API, asked so that a refusal says what is wrong with the way to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from alerting.doctor.findings import NotMadeError, Trouble
from alerting.secrets.prefect_blocks import KEY_VARIABLE, LOGIN_VARIABLES

ANSWER_SECONDS = 10.0
ATTEMPTS = 3
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_UNAUTHORIZED = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})
_BUSY = frozenset({429, 502, 503, 504})


class PrefectUnavailableError(NotMadeError):
    """Prefect does not answer what was asked."""

    def __init__(self, trouble: Trouble) -> None:
        """Keep the trouble for the check that looks at the way to Prefect."""
        super().__init__(trouble.text)
        self.trouble = trouble


@dataclass(frozen=True)
class Reply:
    """What the API answered. `ahead` is how far its clock is ahead of this machine's, if told."""

    document: Any
    ahead: timedelta | None


class PrefectApi:
    """A workspace's API. Every method raises PrefectUnavailableError."""

    def __init__(self, endpoint: str, api_key: str | None, login: str | None) -> None:
        """Log in with a key of Prefect Cloud's, or a server's user:password."""
        user, _, password = (login or "").partition(":")
        self._endpoint = endpoint
        self._logs_in = bool(api_key or login)
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            auth=httpx.BasicAuth(user, password) if login else None,
            timeout=ANSWER_SECONDS,
            # No proxy leads to this machine itself.
            trust_env=urlsplit(endpoint).hostname not in _LOOPBACK,
        )

    def get(self, path: str) -> Reply:
        """Ask for what is at a path."""
        return self._ask("GET", path, None)

    def filter(self, path: str, query: Mapping[str, Any]) -> Reply:
        """Ask for what a filter lets through."""
        return self._ask("POST", path, query)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Reply:
        answer = self._answer(method, path, body)
        if answer.status_code in _UNAUTHORIZED:
            raise self._error(f"refuses the credentials (HTTP {answer.status_code})", self._login())
        if answer.status_code in _BUSY:
            text = f"is busy (HTTP {answer.status_code})"
            raise self._error(text, "try again, and look into the server's log")
        try:
            document = answer.raise_for_status().json()
        except (httpx.HTTPStatusError, ValueError):
            raise self._error(
                f"is no Prefect API (HTTP {answer.status_code})",
                "mend data-alerts:prefect.endpoint: it ends in /api, or in a workspace's id",
            ) from None
        return Reply(document, _ahead(answer))

    def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        for attempts_left in reversed(range(ATTEMPTS)):
            try:
                answer = self._client.request(method, self._endpoint + path, json=body)
            except httpx.TransportError as error:
                if not attempts_left:
                    raise self._error(
                        f"does not answer ({type(error).__name__})",
                        "see that it is up, and check data-alerts:prefect.endpoint and the network",
                    ) from None
            else:
                if answer.status_code not in _BUSY or not attempts_left:
                    return answer
        raise AssertionError("the last attempt returns or raises")

    def _login(self) -> str:
        if self._logs_in:
            return f"mend {KEY_VARIABLE} for Prefect Cloud, {LOGIN_VARIABLES[0]} for a server"
        return (
            f"the server asks for a password: set {LOGIN_VARIABLES[0]} to user:password, and "
            "data-alerts:prefect.basicAuthKey for the deployment"
        )

    def _error(self, text: str, remedy: str) -> PrefectUnavailableError:
        return PrefectUnavailableError(Trouble(f"Prefect at {self._endpoint} {text}", remedy))


def _ahead(answer: httpx.Response) -> timedelta | None:
    try:
        there = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        return None
    return there - datetime.now(UTC)
