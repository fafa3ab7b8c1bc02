"""The one way to Prefect's API: few questions at a time, each counted and none without an end."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Self, TypeVar

import httpx
from prefect.client.base import ServerType
from prefect.client.orchestration import PrefectClient
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from pydantic import TypeAdapter, ValidationError

from alerting.connection import ConnectionProblem, what_went_wrong
from alerting.observing.figures import DAYS, WINDOWS, DayCount, total
from alerting.observing.records import Automation, Block, Deployment, Named, Record, Run
from alerting.redaction import redact
from alerting.sentinel.prefect_names import PAGE
from alerting.sentinel.prefect_runs import ENDS, FAILURES

AT_ONCE = 2
"""Questions that a server is asked at the same time: it works on one, and with six takes longer."""
AT_ONCE_IN_CLOUD = 6
"""The same of Prefect Cloud, where the way takes longer than the work."""
ANSWER_SECONDS = 30.0
RETRIES = 2
"""Further attempts when the server is busy, each after a longer pause."""
_DAY_SECONDS = 86_400
_PLAIN = {"Accept-Encoding": "identity"}

Filter = Mapping[str, Any]
Answer = TypeVar("Answer")


class NonsenseError(ConnectionProblem):
    """What answers is no Prefect API, or one of a version that is not known."""


class CountedClient(PrefectClient):
    """A client that counts what it asks, and bounds how much at once and how long.

    Every question raises ConnectionProblem when it has no answer in time, and httpx's errors.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:  # noqa: ANN401 - PrefectClient's own
        """Take what PrefectClient takes."""
        super().__init__(*args, **settings)
        self.requests = 0
        """Questions so far."""
        in_cloud = self.server_type is ServerType.CLOUD
        self._turn = asyncio.Semaphore(AT_ONCE_IN_CLOUD if in_cloud else AT_ONCE)

    async def __aenter__(self) -> Self:
        """Open it. Who looks again soon need not be as patient as a flow that reports its end."""
        self._patience = temporary_settings({PREFECT_CLIENT_MAX_RETRIES: RETRIES})
        self._patience.__enter__()
        return await super().__aenter__()

    async def __aexit__(self, *error: object) -> None:
        """Close it."""
        self._patience.__exit__(None, None, None)
        await super().__aexit__(*error)

    async def request(self, method: Any, path: Any, *args: Any, **rest: Any) -> httpx.Response:  # noqa: ANN401 - PrefectClient's own
        """Ask, when it is its turn."""
        if self.server_type is not ServerType.CLOUD:
            # Packing a page takes a server of one's own a third of its time.
            rest.setdefault("headers", _PLAIN)
        async with self._turn:
            self.requests += 1
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await super().request(method, path, *args, **rest)
            except TimeoutError:
                where = redact(str(self.api_url))
                raise ConnectionProblem(
                    f"{where} does not answer within {ANSWER_SECONDS:.0f} s. Is the server busy?"
                ) from None


class _Counted(Record):
    state_type: str
    count_runs: int


class _Interval(Record):
    states: tuple[_Counted, ...]


_RUNS = TypeAdapter(list[Run])
_FLOWS = TypeAdapter(list[Named])
_DEPLOYMENTS = TypeAdapter(list[Deployment])
_AUTOMATIONS = TypeAdapter(list[Automation])
_BLOCKS = TypeAdapter(list[Block])
_INTERVALS = TypeAdapter(list[_Interval])
_COUNT = TypeAdapter(int)
_OBJECTS = TypeAdapter(list[dict[str, Any]])


@dataclass(frozen=True)
class PrefectReader:
    """Reads a workspace. Every method raises ConnectionProblem when there is no good answer."""

    client: CountedClient

    async def flows(self, asked: Filter) -> list[Named]:
        """The flows that a filter lets through."""
        return await self._all("/flows/filter", asked, _FLOWS)

    async def deployments(self, asked: Filter) -> list[Deployment]:
        """The deployments that a filter lets through."""
        return await self._all("/deployments/filter", asked, _DEPLOYMENTS)

    async def automations(self, names: Sequence[str]) -> list[Automation]:
        """The automations of these names."""
        asked = {"automations": {"name": {"any_": list(names)}}}
        return await self._all("/automations/filter", asked, _AUTOMATIONS)

    async def blocks(self, slugs: Sequence[str]) -> list[Block]:
        """The blocks of these slugs."""
        names = {"name": {"any_": sorted({slug.partition("/")[2] for slug in slugs})}}
        asked = {"block_documents": names, "include_secrets": False}
        found = await self._all("/block_documents/filter", asked, _BLOCKS)
        return [block for block in found if block.slug in slugs]

    async def objects(self, path: str, asked: Filter) -> list[dict[str, Any]]:
        """Whatever else a filter lets through."""
        return await self._all(path, asked, _OBJECTS)

    async def ended(
        self, asked: Filter, after: datetime, before: datetime
    ) -> AsyncIterator[list[Run]]:
        """Pages of the runs that ended in a time, both ends included, the newest first.

        States are not asked for: a database that looks for them looks through every run. And no
        page is asked for by what to skip alone: what was skipped would be looked through again.
        """
        skipped = 0
        while True:
            end_time = {"after_": after.isoformat(), "before_": before.isoformat()}
            body = {
                **asked,
                "flow_runs": {**asked.get("flow_runs", {}), "end_time": end_time},
                "sort": "END_TIME_DESC",
                "limit": PAGE,
                "offset": skipped,
            }
            page = await self._ask("/flow_runs/filter", body, _RUNS)
            yield page
            if len(page) < PAGE:
                return
            oldest = page[-1].end_time
            if oldest is None:
                raise self._nonsense()
            at_oldest = sum(run.end_time == oldest for run in page)
            skipped = at_oldest + (skipped if oldest == before else 0)
            before = oldest

    async def last(self, asked: Filter, count: int, before: datetime) -> list[Run]:
        """The last runs that ended by then, the newest first."""
        ended = {**asked.get("flow_runs", {}), "end_time": {"before_": before.isoformat()}}
        body = {**asked, "flow_runs": ended, "sort": "END_TIME_DESC", "limit": count}
        return await self._ask("/flow_runs/filter", body, _RUNS)

    async def active(self, tag: str, state: Filter) -> list[Run]:
        """The runs with the tag that are in a state now, at most one page."""
        asked = {"flow_runs": {"tags": {"all_": [tag]}, "state": state}, "limit": PAGE}
        return await self._ask("/flow_runs/filter", asked, _RUNS)

    async def daily(self, of_runs: Filter, now: datetime) -> tuple[DayCount, ...]:
        """The ends of each of the last 30 days, by when they were due to start: one question."""
        return await self._history(of_runs, now, 1)

    async def by_windows(self, of_runs: Filter, now: datetime) -> tuple[DayCount, ...]:
        """The ends of the last 7 and the last 30 days, for two thirds of what `daily` costs."""
        shorter, longer = WINDOWS
        # The first interval ends where the shorter window begins, and the second is cut off now.
        before, recent = await self._history(of_runs, now, longer - shorter)
        return recent, total((before, recent))

    async def _history(self, of_runs: Filter, now: datetime, days: int) -> tuple[DayCount, ...]:
        body = {
            "flow_runs": of_runs,
            "history_start": (now - timedelta(days=DAYS)).isoformat(),
            "history_end": now.isoformat(),
            "history_interval_seconds": days * _DAY_SECONDS,
        }
        intervals = await self._ask("/flow_runs/history", body, _INTERVALS)
        if len(intervals) != ceil(DAYS / days):
            raise self._nonsense()
        return tuple(_day(interval) for interval in intervals)

    async def count(self, asked: Filter, types: Sequence[str], after: datetime) -> int:
        """How many runs ended in one of these types of state since then."""
        of_runs = {
            **asked.get("flow_runs", {}),
            "state": {"type": {"any_": list(types)}},
            "end_time": {"after_": after.isoformat()},
        }
        return await self._ask("/flow_runs/count", {**asked, "flow_runs": of_runs}, _COUNT)

    async def _all(self, path: str, asked: Filter, kind: TypeAdapter[list[Answer]]) -> list[Answer]:
        found: list[Answer] = []
        while True:
            body = {**asked, "limit": PAGE, "offset": len(found)}
            page = await self._ask(path, body, kind)
            found += page
            if len(page) < PAGE:
                return found

    async def _ask(self, path: str, body: Filter, kind: TypeAdapter[Answer]) -> Answer:
        try:
            answer = await self.client.request("POST", path, json=body)
            return kind.validate_json(answer.content)
        except httpx.HTTPError as error:
            raise ConnectionProblem(what_went_wrong(error, self.client)) from None
        except ValidationError:
            raise self._nonsense() from None

    def _nonsense(self) -> NonsenseError:
        where = redact(str(self.client.api_url))
        return NonsenseError(
            f"{where} answers what is no answer of a Prefect API. Is the address right, and the "
            "server one of the versions that are known here?"
        )


def _day(interval: _Interval) -> DayCount:
    counts = dict.fromkeys(ENDS, 0)
    for state in interval.states:
        if state.state_type in counts:
            counts[state.state_type] += state.count_runs
    return DayCount(sum(counts.values()), sum(counts[kind] for kind in FAILURES))
