"""Requests to a Prefect server on SQLite, which is too busy at times."""

import time

import httpx

from sandbox.plugins.values import Value

BUSY = 503
DEADLINE_SECONDS = 30
PAUSE_SECONDS = 0.1


def ask(method: str, url: str, body: Value = None) -> Value:
    """Send a request until the server is not busy; return its JSON, None when there is none.

    Raises HTTPStatusError for any other refusal than that an object to delete is gone.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        answer = httpx.request(method, url, json=body, trust_env=False, timeout=DEADLINE_SECONDS)
        if answer.status_code != BUSY or time.monotonic() > deadline:
            break
        time.sleep(PAUSE_SECONDS)
    if not (method == "DELETE" and answer.status_code == httpx.codes.NOT_FOUND):
        answer.raise_for_status()
    return answer.json() if answer.content else None
