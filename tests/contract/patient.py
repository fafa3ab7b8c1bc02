"""Requests to a Prefect server on SQLite, which is too busy at times."""

import httpx
from httpx_retries import RetryTransport

from sandbox.plugins.values import Value
from sandbox.prefect_client import WHEN_BUSY

ANSWER_SECONDS = 30


def ask(method: str, url: str, body: Value = None) -> Value:
    """Send a request until the server is not busy; return its JSON, None when there is none.

    Raises HTTPStatusError for any other refusal than that an object to delete is gone.
    """
    transport = RetryTransport(httpx.HTTPTransport(trust_env=False), WHEN_BUSY)
    with httpx.Client(transport=transport, timeout=ANSWER_SECONDS) as client:
        answer = client.request(method, url, json=body)
    if not (method == "DELETE" and answer.status_code == httpx.codes.NOT_FOUND):
        answer.raise_for_status()
    return answer.json() if answer.content else None
