"""For what production must wake somebody: the policy `paging-rules-stay` stops what does not."""

from collections.abc import Iterable, Iterator

from alerting.plan.published import PublishedSettings
from alerting.plan.sentinel_tiers import WATCH


def unpaged(published: PublishedSettings, paging: Iterable[str]) -> Iterator[str]:
    """For what production must page and does not, given the keys of the automations that page."""
    keys = [f"{key}-" for key in paging]
    for occasion in _occasions(published):
        if not any(key.startswith(f"{occasion}-") for key in keys):
            yield occasion


def _occasions(published: PublishedSettings) -> Iterator[str]:
    """Keys of the rules by which production wakes people; a longer key is a variant of the rule."""
    yield "critical"
    yield "p1-work-pool"
    if len(published.pipelines) > 1:
        yield "p1-all-down"
    if published.sentinel:
        yield WATCH
    if any(pipeline.escalate for pipeline in published.pipelines):
        if published.sentinel:
            yield from (f"escalation-{step.label}" for step in published.sentinel.steps)
        else:
            # Which steps there are is published to the sentinel alone.
            yield "escalation"
