"""Runs that have ended, asked of Prefect's API."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from math import inf
from time import monotonic
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient

from alerting.plan.published import PublishedSettings
from alerting.sentinel.events import OUTCOMES
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import pipeline_key

PAGE = 200
"""The most runs that Prefect answers with at once."""
MOST_FAILURES = 2_000
"""Failures of one outage that are read; a longer one is counted from there."""
REMEMBERED = 10_000
FLOWS_SECONDS = 5.0
"""How long it is taken for known whether a flow itself has the tag."""
ENDS = tuple(OUTCOMES)
FAILURES = tuple(state for state, failed in OUTCOMES.items() if failed)
SUCCESSES = tuple(state for state, failed in OUTCOMES.items() if not failed)

Filter = Mapping[str, Any]
Between = tuple[datetime, datetime]


class PrefectRuns:
    """Reads ends of runs; names of flows and deployments are asked for once."""

    def __init__(self, client: PrefectClient) -> None:
        """Read through a client that is open."""
        self._client = client
        self._names: dict[str, str] = {}
        self._alerting_parents: dict[str, bool] = {}
        self._tagged_flows: dict[str, tuple[float, bool]] = {}

    async def ended_since(self, settings: PublishedSettings, since: datetime) -> list[Ended]:
        """Every end of a run with the tag since then, oldest first."""
        return await self._all(settings, {}, ENDS, since)

    async def lost_since(
        self, settings: PublishedSettings, since: datetime, failing: Sequence[Ended]
    ) -> list[Ended]:
        """The failures since then, and the successes of pipelines that are failing."""
        found = await self._all(settings, {}, FAILURES, since)
        flows = sorted({ended.flow for ended in failing})
        for start in range(0, len(flows), PAGE):
            of_flows = {"flows": {"name": {"any_": flows[start : start + PAGE]}}}
            found += await self._all(settings, of_flows, SUCCESSES, since)
        return sorted(found, key=_order)

    async def flows_among(self, names: Sequence[str]) -> frozenset[str]:
        """The names of flows that there are."""
        found: set[str] = set()
        for start in range(0, len(names), PAGE):
            asked = {"flows": {"name": {"any_": list(names[start : start + PAGE])}}, "limit": PAGE}
            found |= {each["name"] for each in await self._post("/flows/filter", asked)}
        return frozenset(found)

    async def past(self, settings: PublishedSettings, like: Ended, before: datetime) -> list[Ended]:
        """The last success before then of the run's pipeline, and its failures after that."""
        pipeline = settings.pipeline_of(like.flow, like.deployment)
        key = pipeline_key(like, pipeline)
        of_pipeline: dict[str, Any] = {"flows": {"name": {"any_": [like.flow]}}}
        if pipeline and pipeline.deployment:
            of_pipeline["deployments"] = {"name": {"any_": [pipeline.deployment]}}
        latest: Ended | None = None
        failures: list[Ended] = []
        for tagged in await self._tagged(settings.tag):
            asked = _both(of_pipeline, tagged)
            found = await self._latest(settings, asked, key, ENDS, before)
            if found and found.failed:
                success = await self._latest(settings, asked, key, SUCCESSES, before)
                after = success.at if success else None
                async for ended in self._ended(settings, asked, FAILURES, after, before):
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
        for tagged in await self._tagged(settings.tag):
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
        for tagged in await self._tagged(settings.tag):
            asked = _both(_both(of_flows, tagged), {"flow_runs": of_runs})
            offset = 0
            while True:
                body = {**asked, "limit": PAGE, "offset": offset, "sort": "ID_DESC"}
                runs = await self._post("/flow_runs/filter", body)
                await self._learn_names(runs)
                for run in runs:
                    flow = self._names.get(run["flow_id"])
                    if flow is not None:
                        yield run, flow, self._names.get(run["deployment_id"] or "")
                if len(runs) < PAGE:
                    break
                offset += PAGE

    async def parent_alerts(self, task_run: UUID, tag: str) -> bool:
        """Whether the run that a subflow's run is part of alerts itself."""
        key = str(task_run)
        if key not in self._alerting_parents:
            parents = await self._post(
                "/flow_runs/filter", {"task_runs": {"id": {"any_": [key]}}, "limit": 1}
            )
            alerts = any(tag in parent["tags"] for parent in parents)
            if len(self._alerting_parents) >= REMEMBERED:
                self._alerting_parents.clear()
            self._alerting_parents[key] = alerts
        return self._alerting_parents[key]

    async def _all(
        self, settings: PublishedSettings, asked: Filter, types: Sequence[str], since: datetime
    ) -> list[Ended]:
        found: dict[UUID, Ended] = {}
        for tagged in await self._tagged(settings.tag):
            async for ended in self._ended(settings, _both(asked, tagged), types, since, None):
                found[ended.state_id] = ended
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
        async for ended in self._ended(settings, asked, types, None, before, page=page):
            if _key(settings, ended) == key:
                return ended
        return None

    async def _ended(
        self,
        settings: PublishedSettings,
        asked: Filter,
        types: Sequence[str],
        after: datetime | None,
        before: datetime | None,
        *,
        page: int = PAGE,
    ) -> AsyncIterator[Ended]:
        """Ends that count, newest first. The end of the period keeps pages from shifting."""
        end_time = {
            "after_": after.isoformat() if after else None,
            "before_": before.isoformat() if before else None,
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
            runs = await self._post("/flow_runs/filter", body)
            await self._learn_names(runs)
            for run in runs:
                ended = self._described(run)
                if ended and await self._counts(settings, run, ended):
                    yield ended
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
        flow = self._names.get(run["flow_id"])
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
            deployment=self._names.get(run["deployment_id"] or ""),
            state=state["name"] or "",
            message=state["message"] or "",
        )

    async def _tagged(self, tag: str) -> list[Filter]:
        """Filters that together find the runs with the tag: their own, or their flow's."""
        of_tag = {"tags": {"all_": [tag]}}
        asked, there_are = self._tagged_flows.get(tag, (-inf, False))
        # When hundreds fail at once each of them asks, and P1 waits for the answers.
        if monotonic() - asked > FLOWS_SECONDS:
            there_are = bool(await self._post("/flows/filter", {"flows": of_tag, "limit": 1}))
            self._tagged_flows = {tag: (monotonic(), there_are)}
        return [{"flow_runs": of_tag}, *([{"flows": of_tag}] if there_are else [])]

    async def _learn_names(self, runs: Sequence[Mapping[str, Any]]) -> None:
        if len(self._names) >= REMEMBERED:
            self._names.clear()
        for kind, field in (("flows", "flow_id"), ("deployments", "deployment_id")):
            unknown = {run[field] for run in runs if run[field]} - set(self._names)
            if unknown:
                asked = {kind: {"id": {"any_": sorted(unknown)}}, "limit": PAGE}
                for each in await self._post(f"/{kind}/filter", asked):
                    self._names[each["id"]] = each["name"]

    async def _post(self, path: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        answer = await self._client.request("POST", path, json=body)  # type: ignore[arg-type]
        found: list[dict[str, Any]] = answer.json()
        return found


def _both(first: Filter, second: Filter) -> dict[str, Any]:
    """What both filters let through."""
    return {kind: {**first.get(kind, {}), **second.get(kind, {})} for kind in {*first, *second}}


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
