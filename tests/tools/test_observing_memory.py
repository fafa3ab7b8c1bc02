"""What is kept of a workspace between refreshes and processes."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from alerting.observing.figures import Counted, DayCount, PastRuns
from alerting.observing.fleet import Source
from alerting.observing.memory import KeptRun, Memory, memory_file
from alerting.observing.observer import FORGOTTEN
from alerting.observing.pipelines import EndedRun
from tests.shared.fake_prefect import FakePrefect

pytestmark = pytest.mark.tools

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDERS, NIGHTLY = Source("orders", ""), Source("orders", "nightly")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "memory.sqlite"


@pytest.fixture
def memory(file: Path) -> Iterator[Memory]:
    kept = Memory(file)
    yield kept
    kept.close()


def kept(
    minutes: float,
    *,
    failed: bool = False,
    source: Source = ORDERS,
    run_id: UUID | None = None,
) -> KeptRun:
    ended = AT + timedelta(minutes=minutes)
    state = "Failed" if failed else "Completed"
    end = EndedRun(run_id or uuid4(), state, ended - timedelta(seconds=30), ended, failed)
    return KeptRun(source, end)


def test_runs_are_given_back_in_the_order_of_their_ends_from_all_sources(memory: Memory) -> None:
    memory.keep([kept(3, failed=True), kept(1), kept(2, source=NIGHTLY)])
    since = AT.timestamp()
    assert memory.ends([ORDERS, NIGHTLY], since) == PastRuns.of(
        [(since + 60, 30.0, False), (since + 120, 30.0, False), (since + 180, 30.0, True)]
    )
    assert memory.ends([], since) == PastRuns.of([])
    assert [end.failed for end in memory.last_ends([ORDERS, NIGHTLY], 2)] == [False, True]
    assert memory.last_success([ORDERS, NIGHTLY]) == since + 120
    assert memory.last_success([Source("unknown", "")]) is None


def test_a_run_that_was_run_again_counts_once_as_it_ended_last(memory: Memory) -> None:
    run_id = uuid4()
    memory.keep([kept(1, failed=True, run_id=run_id)])
    memory.keep([kept(5, run_id=run_id)])
    [end] = memory.last_ends([ORDERS], 9)
    assert (end.failed, end.ended) == (False, AT + timedelta(minutes=5))


def test_what_is_known_is_there_for_the_next_process_and_for_its_owner_alone(file: Path) -> None:
    first = Memory(file)
    first.keep([kept(1)])
    first.cover(10.0, 20.0)
    first.keep_counts({"orders": Counted((DayCount(1, 0), DayCount(5, 2)), (DayCount(5, 2),))}, 5.0)
    first.close()
    again = Memory(file)
    assert again.sources == [ORDERS]
    assert len(again.ends([ORDERS], 0).ended) == 1
    assert again.covered == (10.0, 20.0)
    counted = again.counts(5.0)["orders"]
    assert counted.windows[1].failures == 2
    assert again.counts(6.0) == {}
    again.close()
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_a_time_that_is_known_grows_and_begins_anew_after_a_gap(memory: Memory) -> None:
    assert memory.covered is None
    memory.cover(100, 200)
    memory.cover(50, 100)
    memory.cover(150, 300)
    assert memory.covered == (50, 300)
    memory.cover(400, 500)
    assert memory.covered == (400, 500)


def test_it_is_told_when_something_of_a_pipeline_is_new_also_by_another_process(
    file: Path, memory: Memory
) -> None:
    before = memory.changes([ORDERS])
    memory.keep([kept(1, source=NIGHTLY)])
    assert memory.changes([ORDERS]) == before
    memory.keep([kept(1)])
    own = memory.changes([ORDERS])
    assert own != before
    other = Memory(file)
    other.keep([kept(2)])
    other.close()
    assert memory.changes([ORDERS]) != own


def test_events_are_kept_once_by_what_they_are_about(memory: Memory) -> None:
    event = {"id": "1", "occurred": AT.isoformat(), "event": "x"}
    for _ in range(2):
        memory.keep_events("verdicts", [event])
    memory.keep_events("sent", [{**event, "id": "2"}])
    assert [e["id"] for e in memory.events("verdicts", 0)] == ["1"]
    assert list(memory.events("verdicts", AT.timestamp() + 1)) == []


def test_what_is_old_is_let_go(memory: Memory) -> None:
    memory.keep([kept(1), kept(10)])
    memory.keep_events("sent", [{"id": "1", "occurred": AT.isoformat()}])
    memory.forget_before(AT.timestamp() + 120)
    assert len(memory.ends([ORDERS], 0).ended) == 1
    assert list(memory.events("sent", 0)) == []


def test_a_process_that_observes_for_days_lets_go_of_what_is_old(memory: Memory) -> None:
    prefect = FakePrefect()

    oldest = prefect.now - FORGOTTEN + timedelta(hours=1)
    memory.keep([kept((oldest - AT) / timedelta(minutes=1))])

    async def sizes() -> list[int]:
        found = []
        async with prefect.client() as client:
            observer = prefect.observer(client, memory)
            for hours in (0, 12, 12):
                prefect.now += timedelta(hours=hours)
                await observer.ask()
                found.append(memory.size)
        return found

    # About daily: a look is made every few seconds, and this one writes.
    assert asyncio.run(sizes()) == [1, 1, 0]


def test_a_file_that_is_no_database_is_begun_anew(file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text("this is no database, and is long enough to be looked at" * 100)
    memory = Memory(file)
    memory.keep([kept(1)])
    memory.close()
    again = Memory(file)
    assert len(again.ends([ORDERS], 0).ended) == 1
    again.close()


def test_where_nothing_can_be_written_it_forgets_at_the_end() -> None:
    memory = Memory(Path("/proc/nothing/can/be/made/here.sqlite"))
    memory.keep([kept(1)])
    assert len(memory.ends([ORDERS], 0).ended) == 1
    memory.close()


def test_each_workspace_and_stack_has_a_file_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    files = {
        memory_file(url, prefix)
        for url in ("http://one/api", "http://one/api/", "http://two/api")
        for prefix in (None, "team")
    }
    assert len(files) == 4
    assert all(file.parent == tmp_path / "data-alerts" for file in files)
