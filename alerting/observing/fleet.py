"""Which pipelines there are, and whose a run is. Pure: no I/O, no clock."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from alerting.plan.published import PublishedPipeline, PublishedSettings
from alerting.sentinel.judging import pipeline_key_of


class Source(NamedTuple):
    """Where runs come from: a flow, and its deployment, empty for ad hoc runs."""

    flow: str
    deployment: str


@dataclass(frozen=True)
class Member:
    """A pipeline, listed or not, and where its runs come from."""

    key: str
    """What tells it from others, as the sentinel has it."""
    flow: str
    listed: PublishedPipeline | None
    sources: tuple[Source, ...]

    @property
    def name(self) -> str:
        """What people call it."""
        return self.listed.name if self.listed else self.flow


def fleet(settings: PublishedSettings, sources: Iterable[Source]) -> tuple[Member, ...]:
    """Every pipeline that is listed, or that a run or a deployment with the tag belongs to."""
    by_key: defaultdict[str, list[Source]] = defaultdict(list)
    flows: dict[str, str] = {}
    listed = {pipeline_key_of(pipeline): pipeline for pipeline in settings.pipelines}
    finder = _Finder(settings.pipelines)
    for source in sources:
        pipeline = finder.of(source)
        key = pipeline_key_of(pipeline) if pipeline else source.flow
        by_key[key].append(source)
        flows[key] = source.flow
    keys = dict.fromkeys((*listed, *sorted(by_key)))
    return tuple(
        Member(
            key,
            listed[key].flow if key in listed else flows[key],
            listed.get(key),
            tuple(by_key[key]),
        )
        for key in keys
    )


class _Finder:
    """Finds the listed pipeline of a source as the settings do, quickly also among a thousand."""

    def __init__(self, pipelines: Sequence[PublishedPipeline]) -> None:
        self._by = {(each.flow, each.deployment): each for each in pipelines}

    def of(self, source: Source) -> PublishedPipeline | None:
        exact = self._by.get((source.flow, source.deployment or None))
        return exact or self._by.get((source.flow, None))
