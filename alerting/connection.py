"""The way to a stack's Prefect API, with credentials from the environment.

What a stack's file holds encrypted cannot be read without the Pulumi CLI.
"""

from collections.abc import Mapping
from typing import TypeVar

import httpx
from prefect.client.orchestration import PrefectClient

from alerting.redaction import redact
from alerting.settings.encrypted import credential_problem
from alerting.settings.models import PrefectSettings
from alerting.settings.urls import is_cloud

URL_VARIABLE, KEY_VARIABLE = "PREFECT_API_URL", "PREFECT_API_KEY"
LOGIN_VARIABLES = ("PREFECT_API_AUTH_STRING", "PREFECT_BASIC_AUTH_KEY")
"""Prefect's own, and the one that a deployment reads."""


Client = TypeVar("Client", bound=PrefectClient)


class ConnectionProblem(Exception):  # noqa: N818 - its text is what is said
    """Prefect cannot be asked; the text is one line that says what to do."""


def connect(
    prefect: PrefectSettings, environment: Mapping[str, str], *, endpoint: str | None = None
) -> PrefectClient:
    """A client of a stack's Prefect API, which is still to be opened.

    The API is at `endpoint`, else at PREFECT_API_URL, else where the stack's settings say. An
    endpoint that is given is on this machine, where no proxy leads.

    Raises ConnectionProblem when a credential is missing or cannot be sent.
    """
    return connected(PrefectClient, prefect, environment, endpoint=endpoint)


def connected(
    kind: type[Client],
    prefect: PrefectSettings,
    environment: Mapping[str, str],
    *,
    endpoint: str | None = None,
) -> Client:
    """The same as `connect` does, as a client of some kind."""
    url = endpoint or environment.get(URL_VARIABLE) or prefect.endpoint
    key = login = None
    if is_cloud(url):
        key = _credential(environment, (KEY_VARIABLE,), needed=True)
    else:
        needed = prefect.basic_auth_key is not None and endpoint is None
        login = _credential(environment, LOGIN_VARIABLES, needed=needed)
    trust = {"trust_env": endpoint is None}
    return kind(api=url, api_key=key, auth_string=login, httpx_settings=trust)


def _credential(
    environment: Mapping[str, str], names: tuple[str, ...], *, needed: bool
) -> str | None:
    for name in names:
        if value := environment.get(name):
            if problem := credential_problem(value):
                raise ConnectionProblem(f"{name} {problem}")
            return value
    if needed:
        raise ConnectionProblem(
            f"{names[0]} is not set. Set it: what the stack's file holds is encrypted"
        )
    return None


def what_went_wrong(error: httpx.HTTPError, client: PrefectClient) -> str:
    """Why Prefect could not be asked, in one line and without secrets."""
    where = redact(str(client.api_url))
    if isinstance(error, httpx.HTTPStatusError):
        status = error.response.status_code
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return (
                f"{where} refuses the credentials (HTTP {status}): set {KEY_VARIABLE} for Prefect "
                f"Cloud, or {LOGIN_VARIABLES[0]}, user:password, for a server"
            )
        return f"{where} answers HTTP {status}. Is it the API of a Prefect server?"
    reason = " ".join(redact(str(error)).split()) or type(error).__name__
    return f"{where} cannot be reached: {reason}. Is the server up, and {URL_VARIABLE} right?"
