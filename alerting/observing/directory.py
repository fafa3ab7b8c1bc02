"""Which flows and deployments a workspace has, and whose a run is by them."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from alerting.observing.fleet import Member, Source
from alerting.observing.prefect_reader import Filter, PrefectReader
from alerting.observing.records import Deployment, Run
from alerting.plan.published import PublishedSettings
from alerting.sentinel.prefect_names import PAGE

LASTS = timedelta(minutes=5)


class Directory:
    """Flows and deployments, asked for once. What asks raises ConnectionProblem."""

    def __init__(self, reader: PrefectReader) -> None:
        """Ask nothing yet."""
        self._reader = reader
        self._flows: dict[UUID, str] = {}
        self._deployments: dict[UUID, Deployment] = {}
        self._by_source: dict[Source, list[Deployment]] = {}
        self._since: datetime | None = None
        self._flows_alert = False

    @property
    def sources(self) -> Sequence[Source]:
        """Where runs that alert may come from: the deployments of pipelines, or with the tag."""
        return list(self._by_source)

    def ways_to_alert(self, tag: str) -> tuple[Filter, ...]:
        """Filters that together find the runs with the tag: their own, or their flow's."""
        of_tag = {"tags": {"all_": [tag]}}
        own: Filter = {"flow_runs": of_tag}
        return (own, {"flows": of_tag}) if self._flows_alert else (own,)

    async def look(self, settings: PublishedSettings, now: datetime) -> None:
        """Learn what there is, from time to time."""
        if self._since and now - self._since < LASTS:
            return
        of_tag = {"tags": {"all_": [settings.tag]}}
        names = sorted({pipeline.flow for pipeline in settings.pipelines})
        listed: list[Filter] = [
            {"flows": {"name": {"any_": names[start : start + PAGE]}}}
            for start in range(0, len(names), PAGE)
        ]
        tagged = self._reader.flows({"flows": of_tag})
        alerting, *flows = await asyncio.gather(tagged, *map(self._reader.flows, listed))
        self._flows_alert = bool(alerting)
        self._flows |= {flow.id: flow.name for part in (alerting, *flows) for flow in part}
        asked = [*listed, {"deployments": of_tag}, *([{"flows": of_tag}] if alerting else [])]
        found = await asyncio.gather(*map(self._reader.deployments, asked))
        self._deployments = {each.id: each for part in found for each in part}
        await self._learn_flows({each.flow_id for each in self._deployments.values()})
        by_source: defaultdict[Source, list[Deployment]] = defaultdict(list)
        for deployment in self._deployments.values():
            flow = self._flows.get(deployment.flow_id, "")
            by_source[Source(flow, deployment.name)].append(deployment)
        self._by_source = dict(by_source)
        self._since = now

    async def learn(self, runs: Iterable[Run]) -> None:
        """Learn the names of what runs belong to."""
        known = list(runs)
        await self._learn_flows({run.flow_id for run in known})
        ids = {run.deployment_id for run in known if run.deployment_id} - set(self._deployments)
        if ids:
            for deployment in await self._reader.deployments({"deployments": among(ids)}):
                self._deployments[deployment.id] = deployment

    def source_of(self, run: Run) -> Source:
        """Where a run comes from; of what was deleted the name is empty."""
        deployment = self._deployments.get(run.deployment_id) if run.deployment_id else None
        return Source(self._flows.get(run.flow_id, ""), deployment.name if deployment else "")

    def filters(self, member: Member, settings: PublishedSettings) -> Iterator[Filter]:
        """Filters that together find a pipeline's runs; none where there can be no run."""
        tagged: dict[str, Any] = {"tags": {"all_": [settings.tag]}}
        own = [d for source in member.sources for d in self._by_source.get(source, ())]
        if own:
            ids = {"deployment_id": {"any_": [str(deployment.id) for deployment in own]}}
            all_tagged = all(settings.tag in deployment.tags for deployment in own)
            yield {"flow_runs": ids if all_tagged else ids | tagged}
        elif not (member.listed and member.listed.deployment) and self._has_flow(member):
            yield {"flows": {"name": {"any_": [member.flow]}}, "flow_runs": tagged}

    def _has_flow(self, member: Member) -> bool:
        return member.flow in self._flows.values()

    async def _learn_flows(self, ids: set[UUID]) -> None:
        unknown = sorted(ids - set(self._flows))
        for start in range(0, len(unknown), PAGE):
            asked = {"flows": among(unknown[start : start + PAGE])}
            self._flows |= {flow.id: flow.name for flow in await self._reader.flows(asked)}


def among(ids: Iterable[object]) -> dict[str, Any]:
    """A filter for things with one of these ids."""
    return {"id": {"any_": [str(each) for each in ids]}}
