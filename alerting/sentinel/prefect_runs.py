"""Runs that have ended, asked of Prefect's API."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient

from alerting.plan.published import PublishedSettings
from alerting.sentinel.events import OUTCOMES
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import pipeline_key
from alerting.sentinel.prefect_names import PAGE, Filter, PrefectNames
from alerting.sentinel.workspace import Progress, nothing

MOST_FAILURES = 2_000
"""Failures of one outage that are read; a longer one is counted from there."""
MOST_LOST = 2_000
"""Awaited successes that one look for what the stream lost reads, the newest: ten pages, a second
in which nothing is judged. With a look each minute none of up to 2,000 a minute is left out."""
FLOWS_AT_ONCE = 1_000
"""Flows that one question names."""
ENDS = tuple(OUTCOMES)
FAILURES = tuple(state for state, failed in OUTCOMES.items() if failed)
SUCCESSES = tuple(state for state, failed in OUTCOMES.items() if not failed)

Between = tuple[datetime, datetime]


class PrefectRuns:
    """Reads ends of runs."""

    def __init__(self, client: PrefectClient) -> None:
        """Read through a client that is open."""
        self._client = client
        self._names = PrefectNames(client)
        self.parent_alerts = self._names.parent_alerts

    async def ended_since(
        self, settings: PublishedSettings, since: datetime, progress: Progress = nothing
    ) -> list[Ended]:
        """Every end of a run with the tag since then, oldest first."""
        return await self._all(settings, {}, ENDS, since, progress=progress)

    async def failed_since(
        self,
        settings: PublishedSettings,
        between: tuple[datetime, datetime],
        flows: Sequence[str] = (),
        progress: Progress = nothing,
    ) -> list[Ended]:
        """The failures since a time, and of each pipeline with one its last success until another.

        Of all other successes, which are most of what there is, none is asked for.
        """
        since, until = between
        found: list[Ended] = []
        for asked in _of_flows(flows) if flows else ({},):
            found += await self._all(settings, asked, FAILURES, since, progress=progress)
        successes: list[Ended] = []
        for key, failure in {_key(settings, ended): ended for ended in found}.items():
            of_pipeline = _of_pipeline(settings, failure)
            for tagged in await self._names.tagged(settings.tag):
                asked = _both(of_pipeline, tagged)
                success = await self._latest(settings, asked, key, SUCCESSES, until)
                successes += [success] if success and success.at >= since else []
            await progress()
        return sorted([*found, *successes], key=_order)

    async def lost_since(
        self,
        settings: PublishedSettings,
        since: datetime,
        troubled: Sequence[str],
        awaited: Sequence[str],
    ) -> list[Ended]:
        """The failures since then, the successes of flows in trouble, the latest of those awaited.

        Each is one question by tag and time, and further pages of it only where it was busy.
        """
        found = await self._all(settings, {}, FAILURES, since)
        for asked in _of_flows(troubled):
            found += await self._all(settings, asked, SUCCESSES, since)
        for asked in _of_flows(sorted(set(awaited) - set(troubled))):
            found += await self._all(settings, asked, SUCCESSES, since, most=MOST_LOST)
        return sorted(found, key=_order)

    async def flows_among(self, names: Sequence[str]) -> frozenset[str]:
        """The names of flows that there are."""
        found: set[str] = set()
        for start in range(0, len(names), PAGE):
            asked = {"flows": {"name": {"any_": list(names[start : start + PAGE])}}, "limit": PAGE}
            found |= {each["name"] for each in await self._names.post("/flows/filter", asked)}
        return frozenset(found)

    async def past(self, settings: PublishedSettings, like: Ended, before: datetime) -> list[Ended]:
        """The last success before then of the run's pipeline, and its failures after that."""
        key, of_pipeline = _key(settings, like), _of_pipeline(settings, like)
        latest: Ended | None = None
        failures: list[Ended] = []
        for tagged in await self._names.tagged(settings.tag):
            asked = _both(of_pipeline, tagged)
            found = await self._latest(settings, asked, key, ENDS, before)
            if found and found.failed:
                success = await self._latest(settings, asked, key, SUCCESSES, before)
                after = success.at if success else None
                async for ended in self._ended(settings, asked, FAILURES, (after, before)):
                    if _key(settings, ended) == key:
                        failures.append(ended)
                    if len(failures) >= MOST_FAILURES:
                        break
                found = success
            latest = max((each for each in (latest, found) if each), key=_order, default=None)
        since = [each for each in failures if latest is None or each.order > latest.order]
        return sorted([*([latest] if latest else []), *since], key=_order)

    async def late(
        self, settings: PublishedSettings, since: datetime
    ) -> list[tuple[Ended, datetime]]:
        """Runs that should have started since then and are late, and since when they are."""
        of_runs = {
            "state": {"name": {"any_": ["Late"]}},
            "expected_start_time": {"after_": since.isoformat()},
        }
        return [
            (_begun(run, flow, deployment, run["expected_start_time"]), _state_time(run))
            async for run, flow, deployment in self._open(settings, of_runs)
        ]

    async def running(
        self, settings: PublishedSettings, flows: Sequence[str], before: datetime
    ) -> list[Ended]:
        """Runs of these flows that began before then and have not ended; `at` is the beginning."""
        of_runs = {
            "state": {"type": {"any_": ["RUNNING"]}},
            "start_time": {"before_": before.isoformat()},
        }
        return [
            _begun(run, flow, deployment, run["start_time"])
            async for run, flow, deployment in self._open(settings, of_runs, flows)
        ]

    async def count(
        self, settings: PublishedSettings, types: Sequence[str], between: Between
    ) -> int:
        """How many runs ended so in a time. One whose tag is its flow's counts as well."""
        counts = []
        for tagged in await self._names.tagged(settings.tag):
            of_runs = {
                **tagged.get("flow_runs", {}),
                "state": {"type": {"any_": list(types)}},
                "end_time": {
                    "after_": between[0].isoformat(),
                    "before_": between[1].isoformat(),
                },
            }
            body = {**tagged, "flow_runs": of_runs}
            answer = await self._client.request("POST", "/flow_runs/count", json=body)
            counts.append(int(answer.json()))
        # A run may have both tags, and then both have counted it.
        return max(counts)

    async def _open(
        self, settings: PublishedSettings, of_runs: Filter, flows: Sequence[str] = ()
    ) -> AsyncIterator[tuple[dict[str, Any], str, str | None]]:
        """Runs that have not ended, each with its flow's and its deployment's name."""
        of_flows: Filter = {"flows": {"name": {"any_": list(flows)}}} if flows else {}
        for tagged in await self._names.tagged(settings.tag):
            asked = _both(_both(of_flows, tagged), {"flow_runs": of_runs})
            offset = 0
            while True:
                body = {**asked, "limit": PAGE, "offset": offset, "sort": "ID_DESC"}
                runs = await self._names.post("/flow_runs/filter", body)
                await self._names.learn(runs)
                for run in runs:
                    flow = self._names.name(run["flow_id"])
                    if flow is not None:
                        yield run, flow, self._names.name(run["deployment_id"])
                if len(runs) < PAGE:
                    break
                offset += PAGE

    async def _all(
        self,
        settings: PublishedSettings,
        asked: Filter,
        types: Sequence[str],
        since: datetime,
        *,
        most: int | None = None,
        progress: Progress = nothing,
    ) -> list[Ended]:
        found: dict[UUID, Ended] = {}
        for tagged in await self._names.tagged(settings.tag):
            read = 0
            both = _both(asked, tagged)
            async for ended in self._ended(settings, both, types, (since, None), progress=progress):
                found[ended.state_id] = ended
                read += 1
                if read == most:
                    break
        return sorted(found.values(), key=_order)

    async def _latest(
        self,
        settings: PublishedSettings,
        asked: Filter,
        key: str,
        types: Sequence[str],
        before: datetime,
    ) -> Ended | None:
        page = 1 if "deployments" in asked else 20
        async for ended in self._ended(settings, asked, types, (None, before), page=page):
            if _key(settings, ended) == key:
                return ended
        return None

    async def _ended(
        self,
        settings: PublishedSettings,
        asked: Filter,
        types: Sequence[str],
        between: tuple[datetime | None, datetime | None],
        *,
        page: int = PAGE,
        progress: Progress = nothing,
    ) -> AsyncIterator[Ended]:
        """Ends that count, newest first. The end of the period keeps pages from shifting."""
        end_time = {
            "after_": between[0].isoformat() if between[0] else None,
            "before_": between[1].isoformat() if between[1] else None,
        }
        of_runs = {
            **asked.get("flow_runs", {}),
            "state": {"type": {"any_": list(types)}},
            "end_time": end_time,
        }
        offset = 0
        while True:
            body = {
                **asked,
                "flow_runs": of_runs,
                "sort": "END_TIME_DESC",
                "limit": page,
                "offset": offset,
            }
            runs = await self._names.post("/flow_runs/filter", body)
            await self._names.learn(runs)
            for run in runs:
                ended = self._described(run)
                if ended and await self._counts(settings, run, ended):
                    yield ended
            await progress()
            if len(runs) < page:
                return
            offset += page

    async def _counts(
        self, settings: PublishedSettings, run: Mapping[str, Any], ended: Ended
    ) -> bool:
        parent = run.get("parent_task_run_id")
        if parent is None or settings.pipeline_of(ended.flow, ended.deployment):
            return True
        return not await self.parent_alerts(UUID(parent), settings.tag)

    def _described(self, run: Mapping[str, Any]) -> Ended | None:
        flow = self._names.name(run["flow_id"])
        state = run["state"]
        if flow is None or state is None or state["type"] not in OUTCOMES:
            return None  # deleted, or set again, between two questions
        return Ended(
            at=datetime.fromisoformat(state["timestamp"]),
            state_id=UUID(state["id"]),
            run_id=UUID(run["id"]),
            run=run["name"],
            flow=flow,
            failed=OUTCOMES[state["type"]],
            deployment=self._names.name(run["deployment_id"]),
            state=state["name"] or "",
            message=state["message"] or "",
        )


def _of_flows(flows: Sequence[str]) -> list[Filter]:
    """Filters that together let the runs of these flows through."""
    some = [flows[at : at + FLOWS_AT_ONCE] for at in range(0, len(flows), FLOWS_AT_ONCE)]
    return [{"flows": {"name": {"any_": list(names)}}} for names in some]


def _both(first: Filter, second: Filter) -> dict[str, Any]:
    """What both filters let through."""
    return {kind: {**first.get(kind, {}), **second.get(kind, {})} for kind in {*first, *second}}


def _of_pipeline(settings: PublishedSettings, like: Ended) -> Filter:
    """A filter for the runs of the pipeline that a run is of."""
    pipeline = settings.pipeline_of(like.flow, like.deployment)
    of_pipeline: dict[str, Any] = {"flows": {"name": {"any_": [like.flow]}}}
    if pipeline and pipeline.deployment:
        of_pipeline["deployments"] = {"name": {"any_": [pipeline.deployment]}}
    return of_pipeline


def _key(settings: PublishedSettings, ended: Ended) -> str:
    return pipeline_key(ended, settings.pipeline_of(ended.flow, ended.deployment))


def _order(ended: Ended) -> tuple[datetime, int]:
    return ended.order


def _begun(run: Mapping[str, Any], flow: str, deployment: str | None, at: str) -> Ended:
    """A run that has not ended."""
    return Ended(
        at=datetime.fromisoformat(at),
        state_id=UUID(run["state_id"]),
        run_id=UUID(run["id"]),
        run=run["name"],
        flow=flow,
        failed=False,
        deployment=deployment,
        state=run["state"]["name"],
    )


def _state_time(run: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(run["state"]["timestamp"])
