"""Reports of loads: what counts as rows, and how events carry them."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.context import FlowRunContext

from alerting import loads
from alerting.loads import report_load
from alerting.plan.load_events import (
    LOAD_EVENT,
    MOST_TABLES,
    Load,
    Rows,
    load_labels,
    load_of,
    load_payload,
    pipeline_of_load,
    rows_of,
)
from tests.shared.example_stack import published_of

pytestmark = pytest.mark.judging

COUNTS = {"orders": 2, "orders__items": 5, "_dlt_pipeline_state": 1}
RUN_ID = "d1110000-0000-4000-8000-000000000001"
EVENT_ID = "3f1c2a52-9a50-4d27-8d0b-6d8ea3f6a1b0"


def normalized(counts: dict[str, int] | None = None, *packages: str) -> SimpleNamespace:
    """As dlt's NormalizeInfo is, as far as it is looked at."""
    ids = list(packages or ("1.1",))
    return SimpleNamespace(row_counts=COUNTS if counts is None else counts, loads_ids=ids)


def loaded(normalize_info: object, *packages: str) -> SimpleNamespace:
    """As dlt's LoadInfo is: the counts are in the last trace of its pipeline."""
    trace = SimpleNamespace(last_normalize_info=normalize_info)
    return SimpleNamespace(
        pipeline=SimpleNamespace(last_trace=trace, pipeline_name="orders"), loads_ids=list(packages)
    )


@pytest.mark.parametrize(
    "counted",
    [
        COUNTS,
        normalized(),
        loaded(normalized(), "1.1"),
        loaded(normalized(), "1.1").pipeline,
        loaded(normalized(), "1.1").pipeline.last_trace,
    ],
    ids=["by table", "NormalizeInfo", "LoadInfo", "Pipeline", "PipelineTrace"],
)
def test_rows_are_those_of_all_tables_that_dlt_does_not_keep_for_itself(counted: object) -> None:
    assert rows_of(counted) == Rows(total=7, tables={"orders": 2, "orders__items": 5})


def test_a_number_is_a_number_of_rows() -> None:
    class Int64(int):
        """As numpy has its own."""

    assert rows_of(0) == Rows(total=0)
    assert rows_of(Int64(12)).total == 12


def test_a_load_without_packages_has_loaded_nothing_whatever_was_counted_before() -> None:
    assert rows_of(loaded(normalized(COUNTS, "1.1"))) == Rows(total=0)
    assert rows_of(loaded(SimpleNamespace(row_counts={}, loads_ids=[]))) == Rows(total=0)


@pytest.mark.parametrize(
    "counted",
    [
        *(-1, True, 1.5, "12", None, ["orders"], {"orders": "2"}, {"orders": -2}, object()),
        loaded(None, "1.1"),
        loaded(normalized(COUNTS, "2.2"), "1.1"),
        loaded(SimpleNamespace(row_counts={}, loads_ids=[]), "1.1"),
    ],
    ids=[*map(str, range(9)), "not normalized here", "run again since", "run for nothing since"],
)
def test_what_says_no_number_of_rows_is_refused(counted: object) -> None:
    with pytest.raises(ValueError, match="expected the number of rows, rows by table, or what dlt"):
        rows_of(counted)


def event_of(payload: object, **changes: object) -> dict[str, Any]:
    related = [
        {"prefect.resource.id": f"prefect.flow-run.{RUN_ID}", "prefect.resource.role": "flow-run"},
        {
            "prefect.resource.id": "prefect.flow.x",
            "prefect.resource.role": "flow",
            "prefect.resource.name": "load-clicks",
        },
        {
            "prefect.resource.id": "prefect.deployment.x",
            "prefect.resource.role": "deployment",
            "prefect.resource.name": "prod",
        },
        {"prefect.resource.id": "prefect.tag.dlt", "prefect.resource.role": "tag"},
    ]
    return {
        "id": EVENT_ID,
        "occurred": "2026-03-01T06:00:00+00:00",
        "event": LOAD_EVENT,
        "resource": load_labels("load-clicks"),
        "related": related,
        "payload": payload,
        **changes,
    }


def test_a_report_is_read_back_with_its_run_and_deployment() -> None:
    rows = rows_of(COUNTS)
    event = event_of(load_payload(rows, flow="load-clicks", pipeline=None))
    load = load_of(json.loads(json.dumps(event)))
    assert load is not None
    assert (load.rows, load.tables) == (7, {"orders": 2, "orders__items": 5})
    assert (load.flow, load.deployment, load.run_id) == ("load-clicks", "prod", RUN_ID)
    assert load.at.isoformat() == "2026-03-01T06:00:00+00:00"


def test_a_report_is_about_the_pipeline_that_it_names_else_about_that_of_its_run() -> None:
    def about(**changes: Any) -> str:  # noqa: ANN401 - any of its fields
        given = {"id": EVENT_ID, "at": "2026-03-01T06:00:00Z", "rows": 1, "flow": "load-clicks"}
        load = Load.model_validate({**given, **changes})
        return pipeline_of_load(load, published_of())

    assert about(deployment="prod") == "clicks"
    assert about(deployment="dev") == "load-clicks"
    assert about(pipeline="orders") == "orders"
    assert about(flow="orders") == "orders"


@pytest.mark.parametrize(
    "event",
    [
        event_of({"rows": 1, "flow": "x"}, event="data-alerts.failure"),
        event_of({"flow": "x"}),
        event_of({"rows": -1, "flow": "x"}),
        event_of({"rows": "many", "flow": "x"}),
        event_of({"rows": 1, "flow": "x", "tables": ["orders"]}),
        event_of({"rows": 1, "flow": "x"}, occurred="soon"),
        event_of(["rows"]),
        event_of(None),
        event_of({"rows": 1}, related=[]),
        event_of({"rows": 1, "flow": "x", "of": "no event"}, id="by-hand"),
        event_of(
            {"rows": 1, "flow": "x", "of": "no run"},
            related=[
                {
                    "prefect.resource.id": "prefect.flow-run.by-hand",
                    "prefect.resource.role": "flow-run",
                }
            ],
        ),
    ],
    ids=lambda event: str(event["payload"])[:50],
)
def test_what_is_no_report_is_none(event: dict[str, Any]) -> None:
    assert load_of(event) is None


def test_of_very_many_tables_the_largest_are_named_and_all_are_counted() -> None:
    counts = {f"t{number:04}": number for number in range(MOST_TABLES + 50)}
    payload = load_payload(rows_of(counts), flow="orders", pipeline=None)
    assert payload["rows"] == sum(counts.values())
    assert list(payload["tables"]) == [f"t{number:04}" for number in range(50, MOST_TABLES + 50)]


def test_outside_a_flow_nothing_is_reported_and_the_remedy_is_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loads, "emit_event", refuse(AssertionError("emitted")))
    report_load(12)
    assert caplog.messages == [
        "No rows were reported: there is no flow run here. Call report_load inside the flow"
    ]


def test_nothing_that_goes_wrong_reaches_the_flow_or_tells_a_secret(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = SimpleNamespace(flow=SimpleNamespace(name="orders"))
    monkeypatch.setattr(FlowRunContext, "get", lambda: flow)
    monkeypatch.setattr(loads, "emit_event", refuse(OSError("postgres://me:s3cr3t@db refused")))
    report_load(12)
    report_load("twelve")
    assert "OSError" in caplog.messages[0]
    assert "s3cr3t" not in caplog.text
    assert "expected the number of rows" in caplog.messages[1]


def refuse(error: BaseException) -> Callable[..., None]:
    def emit(*_args: object, **_kwargs: object) -> None:
        raise error

    return emit
