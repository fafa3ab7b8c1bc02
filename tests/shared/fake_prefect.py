"""A Prefect workspace's API in memory, as far as a stack is observed through it."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from alerting.observing.memory import Memory
from alerting.observing.observer import Observer
from alerting.observing.prefect_reader import CountedClient
from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import SETTINGS_LABEL
from tests.shared.example_stack import published_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TYPES = {"Completed": "COMPLETED", "Crashed": "CRASHED", "Cancelled": "CANCELLED"}
HEARTBEAT = "data-alerts.heartbeat"
Record = dict[str, Any]


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


@dataclass
class FakePrefect:
    """Answers as the API does. `fails` stands in for what goes wrong."""

    settings: PublishedSettings = field(default_factory=published_of)
    now: datetime = NOW
    flows: dict[str, Record] = field(default_factory=dict)
    deployments: dict[tuple[str, str], Record] = field(default_factory=dict)
    runs: list[Record] = field(default_factory=list)
    events: list[Record] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    """Names of automations and blocks that are not there."""
    paused: set[str] = field(default_factory=set)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    fails: Callable[[str], httpx.Response | None] = lambda _path: None
    hangs: bool = False
    """Whether it takes questions and does not answer them."""

    def flow(self, name: str, tags: Sequence[str] = ()) -> Record:
        return self.flows.setdefault(name, {"id": str(uuid4()), "name": name, "tags": list(tags)})

    def deployment(self, flow: str, name: str, tags: Sequence[str] = ("dlt",)) -> Record:
        record = {
            "id": str(uuid4()),
            "name": name,
            "flow_id": self.flow(flow)["id"],
            "tags": list(tags),
        }
        return self.deployments.setdefault((flow, name), record)

    def run(  # noqa: PLR0913 - a run has as many sides
        self,
        flow: str,
        state: str,
        ended: datetime | None,
        *,
        seconds: float = 60,
        deployment: str | None = None,
        message: str | None = None,
        tags: Sequence[str] = ("dlt",),
        parent: str | None = None,
    ) -> UUID:
        """A run that ended then; without an end it is in the state now."""
        run_id = uuid4()
        started = ended - timedelta(seconds=seconds) if ended else None
        self.runs.append(
            {
                "id": str(run_id),
                "name": f"run-{len(self.runs)}",
                "flow_id": self.flow(flow)["id"],
                "deployment_id": self.deployment(flow, deployment)["id"] if deployment else None,
                "parent_task_run_id": parent,
                "tags": list(tags),
                "state": {
                    "type": TYPES.get(state, "RUNNING" if ended is None else "FAILED"),
                    "name": state,
                    "timestamp": (ended or self.now).isoformat(),
                    "message": message,
                },
                "start_time": started.isoformat() if started else None,
                "expected_start_time": (started or self.now).isoformat(),
                "end_time": ended.isoformat() if ended else None,
                "total_run_time": seconds,
            }
        )
        return run_id

    def heartbeat(self, at: datetime, judged: datetime | None = None, /, **labels: str) -> None:
        self.event(
            HEARTBEAT,
            at,
            {
                "prefect.resource.id": "data-alerts.sentinel.example",
                SETTINGS_LABEL: self.settings.digest,
                **labels,
            },
            {"judged_until": (judged or at).isoformat()},
        )

    def event(
        self,
        name: str,
        at: datetime,
        resource: Mapping[str, str],
        payload: Mapping[str, Any] | None = None,
        related: Sequence[Mapping[str, str]] = (),
        event_id: str | None = None,
    ) -> Record:
        made = {
            "id": event_id or str(uuid4()),
            "event": name,
            "occurred": at.isoformat(),
            "received": at.isoformat(),
            "resource": dict(resource),
            "related": [dict(each) for each in related],
            "payload": dict(payload or {}),
        }
        self.events.append(made)
        return made

    def client(self) -> CountedClient:
        """A client whose every question is answered here."""
        return CountedClient(
            api="http://prefect.test/api",
            httpx_settings={"transport": httpx.MockTransport(self._answer_in_time)},
        )

    def observer(self, client: CountedClient, memory: Memory | None = None) -> Observer:
        return Observer(client, memory or Memory(), clock=lambda: self.now)

    def asked_for(self, path: str) -> list[Any]:
        return [body for asked, body in self.asked if asked == path]

    async def _answer_in_time(self, request: httpx.Request) -> httpx.Response:
        while self.hangs:  # noqa: ASYNC110 - it is set from another thread
            await asyncio.sleep(0.02)
        return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api")
        if wrong := self.fails(path):
            return wrong
        body = json.loads(request.content) if request.content else {}
        self.asked.append((path, body))
        if path.startswith("/block_types/slug/secret"):
            if "secret/data-alerts" in self.missing:
                return httpx.Response(404, json={"detail": "not found"})
            value = self.settings.packed()
            return httpx.Response(200, json={"data": {"value": value}})
        if path == "/admin/version" or path.startswith("/csrf-token"):
            return httpx.Response(404 if "csrf" in path else 200, json="3.8.8")
        return httpx.Response(200, json=self._found(path, body))

    def _found(self, path: str, body: Mapping[str, Any]) -> object:
        pages: dict[str, Callable[[Mapping[str, Any]], list[Record]]] = {
            "/flows/filter": self._flows,
            "/deployments/filter": self._deployments,
            "/flow_runs/filter": self._runs,
            "/automations/filter": self._automations,
            "/block_documents/filter": self._blocks,
            "/task_runs/filter": self._task_runs,
            "/variables/filter": lambda _: [],
        }
        if path in pages:
            offset, limit = body.get("offset", 0), body.get("limit", 200)
            return pages[path](body)[offset : offset + limit]
        others: dict[str, Callable[[Mapping[str, Any]], object]] = {
            "/flow_runs/count": lambda asked: len(self._runs(asked)),
            "/flow_runs/history": self._history,
            "/events/filter": self._events_page,
        }
        return others[path](body)

    def _flows(self, body: Mapping[str, Any]) -> list[Record]:
        asked = body.get("flows", {})
        return [flow for flow in self.flows.values() if _named(flow, asked)]

    def _deployments(self, body: Mapping[str, Any]) -> list[Record]:
        flows = {flow["id"] for flow in self._flows(body)}
        asked = body.get("deployments", {})
        return [
            each
            for each in self.deployments.values()
            if each["flow_id"] in flows and _named(each, asked)
        ]

    def _runs(self, body: Mapping[str, Any]) -> list[Record]:
        flows = {flow["id"] for flow in self._flows(body)}
        asked = body.get("flow_runs", {})
        found = [r for r in self.runs if r["flow_id"] in flows and _lets_through(asked, r)]
        return sorted(found, key=lambda run: (run["end_time"] or "", run["id"]), reverse=True)

    def _history(self, body: Mapping[str, Any]) -> list[Record]:
        start = datetime.fromisoformat(body["history_start"])
        length = timedelta(seconds=body["history_interval_seconds"])
        end = datetime.fromisoformat(body["history_end"])
        intervals: list[dict[str, int]] = [{} for _ in range(-((start - end) // length))]
        for run in self._runs({"flow_runs": body["flow_runs"]}):
            number = (datetime.fromisoformat(run["expected_start_time"]) - start) // length
            if 0 <= number < len(intervals):
                kind = run["state"]["type"]
                intervals[number][kind] = intervals[number].get(kind, 0) + 1
        return [
            {"states": [{"state_type": k, "count_runs": n} for k, n in interval.items()]}
            for interval in intervals
        ]

    def _task_runs(self, body: Mapping[str, Any]) -> list[Record]:
        """Task runs, each of which is part of the run with the same id."""
        return [{"id": each, "flow_run_id": each} for each in body["task_runs"]["id"]["any_"]]

    def _automations(self, body: Mapping[str, Any]) -> list[Record]:
        wanted = body["automations"]["name"]["any_"]
        rules = (rule for rule in self.settings.rules if rule.name in wanted)
        ids = {block["slug"]: block["id"] for block in self._all_blocks()}
        slugs = self.settings.channels
        return [
            {
                "name": rule.name,
                "enabled": rule.name not in self.paused and not rule.standby,
                "actions": [{"block_document_id": ids[slugs[c]]} for c in rule.actions if c],
            }
            for rule in rules
            if rule.name not in self.missing
        ]

    def _blocks(self, _body: Mapping[str, Any]) -> list[Record]:
        return [block for block in self._all_blocks() if block["slug"] not in self.missing]

    def _all_blocks(self) -> list[Record]:
        return [
            {
                "id": str(UUID(int=number + 1)),
                "slug": slug,
                "name": slug.partition("/")[2],
                "block_type": {"slug": slug.partition("/")[0]},
            }
            for number, slug in enumerate(self.settings.blocks)
        ]

    def _events_page(self, body: Mapping[str, Any]) -> Record:
        found = self._events(body["filter"])
        return {"events": found[: body["limit"]], "next_page": None}

    def _events(self, asked: Mapping[str, Any]) -> list[Record]:
        since = asked.get("occurred", {}).get("since", "")
        # Drills are asked for by the clock of this machine.
        since = since if since <= self.now.isoformat() else ""
        found = [e for e in self.events if e["occurred"] >= since and _is_asked_for(e, asked)]
        return sorted(found, key=_occurred, reverse=asked["order"] == "DESC")


def _occurred(event: Record) -> str:
    return str(event["occurred"])


def _is_asked_for(event: Record, asked: Mapping[str, Any]) -> bool:
    resource = asked.get("resource", {})
    ids = {each["prefect.resource.id"] for each in event["related"]}
    labels = {
        key: [value] if isinstance(value, str) else value
        for key, value in resource.get("labels", {}).items()
    }
    return (
        event["event"] in asked["event"]["name"]
        and ("id" not in resource or event["resource"].get("prefect.resource.id") in resource["id"])
        and all(event["resource"].get(key) in values for key, values in labels.items())
        and ("related" not in asked or not ids.isdisjoint(asked["related"]["id"]))
    )


def _named(record: Record, asked: Mapping[str, Any]) -> bool:
    return (
        ("name" not in asked or record["name"] in asked["name"]["any_"])
        and ("id" not in asked or record["id"] in asked["id"]["any_"])
        and ("tags" not in asked or set(asked["tags"]["all_"]) <= set(record["tags"]))
    )


def _lets_through(asked: Mapping[str, Any], run: Record) -> bool:
    ended = asked.get("end_time", {})
    state = asked.get("state", {})
    ids = asked.get("deployment_id", {}).get("any_")
    if ended and run["end_time"] is None:
        return False
    return (
        _named(run, {key: asked[key] for key in ("id", "tags") if key in asked})
        and (ids is None or run["deployment_id"] in ids)
        and ("after_" not in ended or run["end_time"] >= ended["after_"])
        and ("before_" not in ended or run["end_time"] <= ended["before_"])
        and ("type" not in state or run["state"]["type"] in state["type"]["any_"])
        and ("name" not in state or run["state"]["name"] in state["name"]["any_"])
    )
