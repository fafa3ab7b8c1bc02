"""Events of a workspace, asked of Prefect's API."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from prefect.client.orchestration import PrefectClient

from alerting.sentinel.events import Event

CLOCKS_DIFFER = timedelta(hours=1)


async def read_events(
    client: PrefectClient, asked: Mapping[str, Any], *, page: int = 50
) -> AsyncIterator[Event]:
    """The events that a filter of Prefect's lets through, oldest first unless it says otherwise.

    Raises httpx.HTTPError when Prefect cannot be asked.
    """
    body = {"filter": {"order": "ASC", **asked}, "limit": page}
    answer = (await client.request("POST", "/events/filter", json=body)).json()
    while True:
        for event in answer["events"]:
            yield event
        if not answer["next_page"]:
            return
        # Only its query: behind a proxy the server names itself by another address.
        token = urlsplit(answer["next_page"]).query
        # The client's list of paths leaves parameters out.
        path: Any = f"/events/filter/next?{token}"
        answer = (await client.request("GET", path)).json()


def from_then_on(time: datetime) -> dict[str, str]:
    """The time from then on, as a filter has it: without an end it would end at once."""
    until = datetime.now(UTC) + CLOCKS_DIFFER
    return {"since": time.isoformat(), "until": until.isoformat()}
