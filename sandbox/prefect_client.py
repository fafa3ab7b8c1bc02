"""A client of a sandbox's Prefect server, which is busy at times."""

from http import HTTPMethod, HTTPStatus

import httpx
from httpx_retries import Retry, RetryTransport
from prefect.client.orchestration import PrefectClient

FIRST_WAIT_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 0.5
ATTEMPTS = 100
"""Some 25 s of waiting."""
# As many as Prefect's own client has.
CONNECTIONS = httpx.Limits(max_connections=16, max_keepalive_connections=8)
WHEN_BUSY = Retry(
    total=ATTEMPTS,
    allowed_methods=HTTPMethod,
    status_forcelist=[HTTPStatus.SERVICE_UNAVAILABLE],
    # What may have arrived is not sent again by this.
    retry_on_exceptions=[httpx.ConnectError],
    backoff_factor=FIRST_WAIT_SECONDS,
    max_backoff_wait=LONGEST_WAIT_SECONDS,
)
"""Two writers that come at once are one too many for SQLite, and the server refuses one of them for
the moment. Prefect's own client comes again after two seconds, then four, then eight."""


def client_of(prefect_api_url: str) -> PrefectClient:
    """A client that is still to be opened, and that comes again soon when the server is busy."""
    # The reader's own proxy has no way to the sandbox.
    transport = RetryTransport(
        httpx.AsyncHTTPTransport(trust_env=False, limits=CONNECTIONS), WHEN_BUSY
    )
    return PrefectClient(
        api=prefect_api_url, httpx_settings={"transport": transport, "trust_env": False}
    )
