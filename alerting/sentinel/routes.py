"""Whose channels a verdict is for. Pure."""

from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import DEFAULT_ROUTE
from alerting.sentinel.verdicts import Verdict


def route_of(verdict: Verdict, settings: PublishedSettings) -> str:
    """The owner of the verdict's pipeline, where that one has channels of its own."""
    ended = verdict.ended
    pipeline = settings.pipeline_of(ended.flow, ended.deployment)
    owner = pipeline.owner if pipeline else settings.default_owner
    routes = settings.sentinel.routes if settings.sentinel else ()
    return owner if owner in routes else DEFAULT_ROUTE
