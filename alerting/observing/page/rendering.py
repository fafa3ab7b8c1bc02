"""Templates, and what they are given."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from alerting.doctor.findings import Verdict
from alerting.observing.figures import DAYS
from alerting.observing.overview import Overview
from alerting.observing.page import plots
from alerting.observing.pipelines import Condition, Pipeline, chosen
from alerting.observing.review import review
from alerting.observing.silences import Silence, is_now
from alerting.observing.wording import ago, bound, lasting, percent

HERE = Path(__file__).parent
PER_PAGE = 100
SHOWN_RUNS = 20
SHOWN_NOTIFICATIONS = 100


def templates() -> Environment:
    """The pages' templates. A name that is not there is an error."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "ago": ago,
        "bound": bound,
        "lasting": lasting,
        "percent": percent,
        "sentence": lambda text: text[:1].upper() + text[1:],
    }
    environment.globals |= {
        "plots": plots,
        "WRONG": Verdict.WRONG,
        "GOOD": Verdict.GOOD,
        "DAYS": DAYS,
        "conditions": list(Condition),
    }
    return environment


def overview_context(
    overview: Overview,
    owners: Sequence[str] = (),
    states: Sequence[str] = (),
    page: int = 1,
    per_page: int | None = PER_PAGE,
) -> Mapping[str, Any]:
    """What the overview is given; without `per_page` all pipelines are on one page."""
    found = chosen(overview.pipelines, owners, states)
    size = per_page or max(len(found), 1)
    pages = max(-(-len(found) // size), 1)
    page = min(max(page, 1), pages)
    return {
        "overview": overview,
        "found": found,
        "shown": found[(page - 1) * size : page * size],
        "page": page,
        "pages": pages,
        "owners": owners,
        "states": states,
    }


def pipeline_context(overview: Overview, pipeline: Pipeline) -> Mapping[str, Any]:
    """What a pipeline's page is given."""
    about = [n for n in overview.notifications if n.pipeline == pipeline.name]
    return {
        "overview": overview,
        "pipeline": pipeline,
        "runs": pipeline.runs[: -SHOWN_RUNS - 1 : -1],
        "notifications": about[:SHOWN_NOTIFICATIONS],
    }


def alerting_context(overview: Overview) -> Mapping[str, Any]:
    """What the page about the alerting is given."""
    return {
        "overview": overview,
        "review": review(overview.notifications, overview.announcements),
        "notifications": overview.notifications[:SHOWN_NOTIFICATIONS],
    }


def silences_context(overview: Overview) -> Mapping[str, Any]:
    """What the page of silences is given: those that are on, to come, and past."""
    at = overview.at
    ordered = sorted(overview.silences, key=lambda each: each.starts)
    groups: tuple[tuple[str, list[Silence]], ...] = (
        ("On now", [each for each in ordered if is_now(each, at)]),
        ("To come", [each for each in ordered if each.starts > at]),
        ("Past", [each for each in ordered[::-1] if each.ends <= at]),
    )
    return {"overview": overview, "groups": groups}
