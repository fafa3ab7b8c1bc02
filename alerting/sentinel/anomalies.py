"""Loads that brought too few rows. Pure: no I/O, no clock."""

from collections.abc import Iterator, Sequence
from statistics import median
from uuid import UUID

from alerting.plan.load_events import Load, pipeline_of_load
from alerting.plan.published import PublishedPipeline, PublishedSettings
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.history import NOTHING, Ended
from alerting.sentinel.judging import pipeline_key_of, rules_of
from alerting.sentinel.verdicts import Verdict, verdict_id

RECENT = 10
"""Loads whose median a further one is compared with."""
LEAST_RECENT = 3
"""Of fewer a median says little."""


def listed_pipeline(load: Load, settings: PublishedSettings) -> PublishedPipeline | None:
    """The listed pipeline of a load."""
    name = pipeline_of_load(load, settings)
    return next((each for each in settings.pipelines if each.name == name), None)


def expects_rows(load: Load, settings: PublishedSettings) -> bool:
    """Whether anything is expected of a load."""
    pipeline = listed_pipeline(load, settings)
    return pipeline is not None and bool(pipeline.least_rows or pipeline.drop_below)


def of_load(load: Load, recent: Sequence[Load], settings: PublishedSettings) -> Iterator[Verdict]:
    """What follows from a load, after recent ones of the same pipeline, the latest first.

    Too few rows are an anomaly; enough of them after an anomaly close the incident that it was.
    """
    pipeline = listed_pipeline(load, settings)
    if pipeline is None:
        return
    if expected := _missed(load, recent, pipeline):
        facts = (("Rows", f"{load.rows:,}"), ("Expected", expected))
        yield _verdict(VerdictKind.ANOMALY, load, pipeline, settings, facts)
    elif VerdictKind.ANOMALY in rules_of(settings).pages and recent:
        before, *earlier = recent
        if _missed(before, earlier, pipeline):
            yield _verdict(VerdictKind.RESOLVED, load, pipeline, settings)


def _missed(load: Load, recent: Sequence[Load], pipeline: PublishedPipeline) -> str | None:
    """What was expected of a load that fell short of it, in words."""
    if pipeline.least_rows is not None and load.rows < pipeline.least_rows:
        return f"at least {pipeline.least_rows:,}"
    rows = [each.rows for each in recent[:RECENT]]
    if pipeline.drop_below is None or len(rows) < LEAST_RECENT:
        return None
    usual = median(rows)
    if load.rows * 100 >= usual * pipeline.drop_below:
        return None
    return f"at least {pipeline.drop_below}% of {usual:,.0f}, the median of {len(rows)} loads"


def _verdict(
    kind: VerdictKind,
    load: Load,
    pipeline: PublishedPipeline,
    settings: PublishedSettings,
    facts: tuple[tuple[str, str], ...] = (),
) -> Verdict:
    run = Ended(
        at=load.at,
        state_id=UUID(load.id),
        run_id=UUID(load.run_id) if load.run_id else NOTHING,
        run=load.run or "",
        # As the pipeline has them: a flow may tell of the loads of several.
        flow=pipeline.flow,
        failed=False,
        deployment=pipeline.deployment or load.deployment,
        state="Loaded",
    )
    found = verdict_id(rules_of(settings).scope, kind, pipeline_key_of(pipeline), load.id)
    return Verdict(kind, found, load.at, run, facts=facts)
