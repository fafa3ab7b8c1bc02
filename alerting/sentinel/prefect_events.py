"""Events of a workspace, asked of Prefect's API."""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from prefect.client.base import ServerType
from prefect.client.orchestration import PrefectClient

from alerting.sentinel.events import Event

CLOCKS_DIFFER = timedelta(hours=1)
LONGEST_IN_CLOUD = timedelta(days=14)
"""What one question about events may span in Prefect Cloud, by its page of rate limits."""


async def read_events(
    client: PrefectClient, asked: Mapping[str, Any], *, page: int = 50
) -> AsyncIterator[Event]:
    """The events that a filter of Prefect's lets through, oldest first unless it says otherwise.

    Raises httpx.HTTPError when Prefect cannot be asked.
    """
    in_cloud = client.server_type is ServerType.CLOUD
    for part in _in_spans(asked) if in_cloud else (asked,):
        async for event in _read(client, part, page):
            yield event


async def _read(client: PrefectClient, asked: Mapping[str, Any], page: int) -> AsyncIterator[Event]:
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


def _in_spans(asked: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A filter for each time that one question may span, in the filter's order."""
    occurred = asked.get("occurred", {})
    until = _time(occurred.get("until")) or datetime.now(UTC) + CLOCKS_DIFFER
    since = _time(occurred.get("since")) or until - LONGEST_IN_CLOUD
    spans = []
    while since <= until:
        end = min(since + LONGEST_IN_CLOUD, until)
        spans.append({"since": since.isoformat(), "until": end.isoformat()})
        since = end + timedelta.resolution  # both ends are part of a span
    for span in reversed(spans) if asked.get("order") == "DESC" else spans:
        yield {**asked, "occurred": span}


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def from_then_on(time: datetime) -> dict[str, str]:
    """The time from then on, as a filter has it: without an end it would end at once."""
    until = datetime.now(UTC) + CLOCKS_DIFFER
    return {"since": time.isoformat(), "until": until.isoformat()}
