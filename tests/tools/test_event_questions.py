"""What one question about events spans: Prefect Cloud answers none about more than 14 days."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import httpx
import pytest
from prefect.client.orchestration import PrefectClient

from alerting.sentinel.prefect_events import LONGEST_IN_CLOUD, read_events

pytestmark = pytest.mark.tools

CLOUD = f"https://api.prefect.cloud/api/accounts/{UUID(int=1)}/workspaces/{UUID(int=2)}"
OWN = "http://prefect.test/api"
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
EVENTS = [{"id": str(day), "occurred": NOW - timedelta(days=day)} for day in (29, 14, 3)]


def asked_of(api: str, asked: Mapping[str, Any]) -> tuple[list[Any], list[str]]:
    """The filters that a server is asked, and the events that come back."""
    filters: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/events/filter"):
            return httpx.Response(404, json={})
        sent = json.loads(request.content)["filter"]
        filters.append(sent)
        since, until = span_of(sent)
        events = [e for e in EVENTS if since <= datetime.fromisoformat(str(e["occurred"])) <= until]
        if sent["order"] == "DESC":
            events.reverse()
        found = [{**each, "occurred": str(each["occurred"])} for each in events]
        return httpx.Response(200, json={"events": found, "next_page": None})

    async def read() -> list[str]:
        transport = {"transport": httpx.MockTransport(answer)}
        async with PrefectClient(api=api, httpx_settings=transport) as client:
            return [event["id"] async for event in read_events(client, asked)]

    return filters, asyncio.run(read())


def span_of(sent: Mapping[str, Any]) -> tuple[datetime, datetime]:
    occurred = sent.get("occurred", {})
    since, until = (occurred.get(end, NOW.isoformat()) for end in ("since", "until"))
    return datetime.fromisoformat(since), datetime.fromisoformat(until)


def last(days: int) -> dict[str, str]:
    return {"since": (NOW - timedelta(days=days)).isoformat(), "until": NOW.isoformat()}


@pytest.mark.parametrize(("order", "ids"), [("ASC", "29 14 3"), ("DESC", "3 14 29")])
def test_cloud_is_asked_about_a_longer_time_in_parts_that_meet(order: str, ids: str) -> None:
    filters, found = asked_of(CLOUD, {"occurred": last(30), "order": order, "event": {"name": []}})
    assert found == ids.split()
    spans = sorted(map(span_of, filters))
    assert (spans[0][0], spans[-1][1]) == (NOW - timedelta(days=30), NOW)
    assert all(end - start <= LONGEST_IN_CLOUD for start, end in spans)
    for (_, end), (start, _) in pairwise(spans):
        assert start - end == timedelta.resolution
    assert all(each["event"] == {"name": []} for each in filters)


def test_a_question_without_a_time_is_about_the_last_14_days_of_cloud() -> None:
    filters, _ = asked_of(CLOUD, {"order": "DESC"})
    [(since, until)] = map(span_of, filters)
    assert until - since == LONGEST_IN_CLOUD
    assert until > datetime.now(UTC)


def test_a_server_of_ones_own_is_asked_at_once() -> None:
    filters, found = asked_of(OWN, {"occurred": last(30), "order": "ASC"})
    assert len(filters) == 1
    assert len(found) == len(EVENTS)
