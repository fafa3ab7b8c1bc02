"""What must be asked of Prefect around runs: the names in them, their tag, their parents."""

from collections.abc import Mapping, Sequence
from math import inf
from time import monotonic
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient

PAGE = 200
"""The most runs, or names, that Prefect answers with at once."""
REMEMBERED = 10_000
FLOWS_SECONDS = 5.0
"""How long it is taken for known whether a flow itself has the tag."""

Filter = Mapping[str, Any]


class PrefectNames:
    """Asks, and remembers what does not change."""

    def __init__(self, client: PrefectClient) -> None:
        """Ask through a client that is open."""
        self._client = client
        self._names: dict[str, str] = {}
        self._alerting_parents: dict[str, bool] = {}
        self._tagged_flows: dict[str, tuple[float, bool]] = {}

    def name(self, named: str | None) -> str | None:
        """The name of a flow or a deployment by its id; None for one that was deleted."""
        return self._names.get(named or "")

    async def learn(self, runs: Sequence[Mapping[str, Any]]) -> None:
        """Ask for the names of the runs' flows and deployments that are not known."""
        if len(self._names) >= REMEMBERED:
            self._names.clear()
        for kind, field in (("flows", "flow_id"), ("deployments", "deployment_id")):
            unknown = {run[field] for run in runs if run[field]} - set(self._names)
            if unknown:
                asked = {kind: {"id": {"any_": sorted(unknown)}}, "limit": PAGE}
                for each in await self.post(f"/{kind}/filter", asked):
                    self._names[each["id"]] = each["name"]

    async def tagged(self, tag: str) -> list[Filter]:
        """Filters that together find the runs with the tag: their own, or their flow's."""
        of_tag = {"tags": {"all_": [tag]}}
        asked, there_are = self._tagged_flows.get(tag, (-inf, False))
        # When hundreds fail at once each of them asks, and P1 waits for the answers.
        if monotonic() - asked > FLOWS_SECONDS:
            there_are = bool(await self.post("/flows/filter", {"flows": of_tag, "limit": 1}))
            self._tagged_flows = {tag: (monotonic(), there_are)}
        return [{"flow_runs": of_tag}, *([{"flows": of_tag}] if there_are else [])]

    async def parent_alerts(self, task_run: UUID, tag: str) -> bool:
        """Whether the run that a subflow's run is part of alerts itself."""
        key = str(task_run)
        if key not in self._alerting_parents:
            parents = await self.post(
                "/flow_runs/filter", {"task_runs": {"id": {"any_": [key]}}, "limit": 1}
            )
            alerts = any(tag in parent["tags"] for parent in parents)
            if len(self._alerting_parents) >= REMEMBERED:
                self._alerting_parents.clear()
            self._alerting_parents[key] = alerts
        return self._alerting_parents[key]

    async def post(self, path: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What Prefect answers with."""
        answer = await self._client.request("POST", path, json=body)  # type: ignore[arg-type]
        found: list[dict[str, Any]] = answer.json()
        return found
