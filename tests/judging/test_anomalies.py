"""Loads of too few rows: none, fewer than there must be, or far fewer than usual."""

from datetime import timedelta
from uuid import NAMESPACE_DNS, uuid5

import pytest

from alerting.plan.load_events import Load
from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.anomalies import expects_rows, of_load
from alerting.sentinel.messages import message_of
from alerting.sentinel.verdicts import Verdict
from tests.shared.example_stack import published_of, raw_settings
from tests.shared.histories import START, minute, told

pytestmark = pytest.mark.judging

ANOMALY, RESOLVED = VerdictKind.ANOMALY, VerdictKind.RESOLVED


def expecting(rows: dict[str, object] | None, *, pages: bool = False) -> PublishedSettings:
    tiers = raw_settings()["tiers"]
    if pages:
        tiers["anomaly"] = {"notify": ["on-call"]}
    pipelines = {
        "orders": {"owner": "shop", **({"rows": rows} if rows else {})},
        "clicks": {"owner": "web", "flow": "load-clicks", "deployment": "prod"},
    }
    return published_of(pipelines=pipelines, escalation=[], tiers=tiers)


def load(
    rows: int, at: float = 0, flow: str = "orders", deployment: str | None = None, **named: str
) -> Load:
    """A load of so many rows in minute `at`."""
    return Load(
        id=str(uuid5(NAMESPACE_DNS, f"{flow}/{deployment}/{at}/{rows}")),
        at=minute(at),
        rows=rows,
        flow=flow,
        deployment=deployment,
        run_id=str(uuid5(NAMESPACE_DNS, f"run {at}")),
        run="brave-otter",
        pipeline=named.get("pipeline"),
    )


def judged(settings: PublishedSettings, *rows: int) -> list[Verdict]:
    """What follows from loads of so many rows, one after another."""
    loads = [load(each, at) for at, each in enumerate(rows)]
    return [
        verdict
        for number, each in enumerate(loads)
        for verdict in of_load(each, loads[:number][::-1], settings)
    ]


def anomalies(rows: dict[str, object], *loaded: int) -> list[float]:
    """The places of the loads that are anomalies."""
    return [at for _, at, _ in told(judged(expecting(rows), *loaded), ANOMALY)]


@pytest.mark.parametrize(
    ("least", "loaded", "found"),
    [(1, [0], [0]), (1, [1], []), (100, [99, 100, 101], [0]), (1, [5, 0, 0, 5], [1, 2])],
)
def test_fewer_rows_than_there_must_be_are_an_anomaly_each_time(
    least: int, loaded: list[int], found: list[float]
) -> None:
    assert anomalies({"min": least}, *loaded) == found


@pytest.mark.parametrize(
    ("loaded", "found"),
    [
        ([100, 100, 100, 50], []),
        ([100, 100, 100, 49], [3]),
        ([100, 300, 200, 99], [3]),  # half of the median, which is 200
        ([100, 300, 200, 100], []),
        ([100, 100, 9], []),  # too few to compare with
        ([100, 100, 100, 1000, 60], []),  # one that was large says little
        ([100, 100, 100, 10, 60], [3]),  # nor does one that was small
        ([0, 0, 0, 0], []),
        ([100, 100, 100, 0], [3]),
    ],
)
def test_far_fewer_than_usual_are_an_anomaly(loaded: list[int], found: list[float]) -> None:
    assert anomalies({"dropBelow": "50%"}, *loaded) == found


def test_usual_is_the_median_of_the_last_ten() -> None:
    long_ago, recent = [10_000] * 30, [100] * 10
    assert anomalies({"dropBelow": "50%"}, *long_ago, *recent, 60) == list(range(30, 36))
    assert anomalies({"dropBelow": "50%"}, *recent, 40) == [10]


def test_an_even_number_of_loads_has_a_median_between_two() -> None:
    assert anomalies({"dropBelow": "50%"}, 100, 100, 201, 201, 75) == [4]  # of 150.5
    assert anomalies({"dropBelow": "50%"}, 100, 100, 200, 200, 75) == []  # of 150


def test_both_may_be_expected_and_one_load_is_one_anomaly() -> None:
    rows: dict[str, object] = {"min": 10, "dropBelow": "50%"}
    assert anomalies(rows, 100, 100, 100, 5) == [3]
    assert anomalies(rows, 100, 100, 100, 40) == [3]
    assert anomalies(rows, 5) == [0]


def test_a_pipeline_of_which_no_rows_are_expected_has_no_anomalies() -> None:
    assert judged(expecting(None), 100, 100, 100, 0) == []
    assert not expects_rows(load(0), expecting(None))
    assert expects_rows(load(0), expecting({"min": 1}))
    assert not expects_rows(load(0, flow="not listed"), expecting({"min": 1}))


def test_a_load_is_that_of_the_pipeline_it_names_or_else_of_its_run() -> None:
    settings = expecting({"min": 1})
    [found] = of_load(load(0, flow="all-loads", pipeline="orders"), [], settings)
    assert found.ended.flow == "orders"
    assert message_of(found, settings).incident.component == "orders"
    assert list(of_load(load(0, flow="orders", pipeline="other"), [], settings)) == []


def test_it_says_what_was_loaded_and_what_was_expected() -> None:
    rows: dict[str, object] = {"min": 1, "dropBelow": "50%"}
    settings = expecting(rows)
    message = message_of(judged(settings, 4_000, 3_000, 2_000, 1_234)[-1], settings)
    assert message.subject == "Anomaly: orders loaded 1,234 rows"
    assert message.sentence.endswith("at least 50% of 3,000, the median of 3 loads.")
    [zero] = judged(settings, 0)
    assert message_of(zero, settings).sentence == (
        "orders loaded 0 rows; expected were at least 1."
    )


class TestPaging:
    """An anomaly that opened an incident."""

    def test_it_is_closed_by_the_next_load_that_is_as_expected(self) -> None:
        found = judged(expecting({"min": 1}, pages=True), 5, 0, 0, 5, 5)
        assert [(kind, at) for kind, at, _ in told(found)] == [
            ("anomaly", 1),
            ("anomaly", 2),
            ("resolved", 3),
        ]

    def test_where_nobody_is_paged_nothing_is_closed(self) -> None:
        assert told(judged(expecting({"min": 1}), 5, 0, 5), RESOLVED) == []

    def test_a_drop_is_closed_as_well(self) -> None:
        found = judged(expecting({"dropBelow": "50%"}, pages=True), *[100] * 10, 40, 100, 100)
        assert [(kind, at) for kind, at, _ in told(found)] == [("anomaly", 10), ("resolved", 11)]

    def test_whether_the_one_before_was_an_anomaly_is_judged_as_it_was_then(self) -> None:
        # As many loads are read as that takes.
        loads = [load(rows, at) for at, rows in enumerate([*[100] * 5, *[10] * 5, 40, 100])]
        settings = expecting({"dropBelow": "50%"}, pages=True)
        before = list(of_load(loads[10], loads[:10][::-1], settings))
        after = list(of_load(loads[11], loads[:11][::-1], settings))
        assert bool(told(before, ANOMALY)) == bool(told(after, RESOLVED))


def test_the_same_load_gives_the_same_verdict_whoever_judges_it() -> None:
    settings = expecting({"min": 1})
    first, second = (next(of_load(load(0), [], settings)) for _ in range(2))
    assert first.id == second.id
    assert next(of_load(load(0, 1), [], settings)).id != first.id
    assert first.at == START + timedelta(0)
