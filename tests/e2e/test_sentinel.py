"""The sentinel on a real server, with what Slack and PagerDuty would receive."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from pulumi.automation import OpType

from sandbox.soak.sentinel import soak
from sandbox.state import SandboxState
from tests.e2e.live import Live, deployed
from tests.e2e.relay import relay_to

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

SILENT = {"sentinel": {"silentFor": "10s"}}
ALERTING_IS_DOWN = "Alerting itself is down: the sentinel is silent"


@pytest.fixture(scope="module")
def followed(sandbox: SandboxState) -> Iterator[Live]:
    """The stack with a sentinel that follows it."""
    with deployed(sandbox) as live:
        live.start_sentinel()
        yield live


@pytest.fixture
def live(followed: Live) -> Live:
    """The same, with nothing left to be told."""
    followed.begin()
    return followed


def test_a_success_in_between_keeps_a_streak_from_paging(live: Live) -> None:
    flow = "broken-streak"
    live.end((flow, "Failed"), (flow, "Failed"), (flow, "Completed"), (flow, "Failed"))
    live.wait_for(f"Pipeline failed: {flow}", 3)
    live.settle()
    assert live.titles("data-alerts-critical") == []
    assert live.titles("on-call") == []


def test_every_third_failure_in_a_row_pages_once(live: Live) -> None:
    flow = "long-streak"
    live.end(*[(flow, "Failed")] * 3)
    live.wait_for(f"CRITICAL: {flow} failed 3 times in a row", 2)
    live.end(*[(flow, state) for state in ("Crashed", "TimedOut", "Cancelled", "Failed")])
    live.wait_for(f"CRITICAL: {flow} failed 6 times in a row", 2)
    live.settle()
    assert len(live.titles("on-call")) == 2
    assert len(live.titles("data-alerts-critical")) == 2
    assert len(live.titles("data-alerts")) == 6


def test_all_pipelines_down_page_once_and_again_only_after_a_recovery(live: Live) -> None:
    up = [
        ("products-daily", "Completed"),
        ("exchange-rates-daily", "Completed"),
        ("load-clicks", "Completed", "prod"),
    ]
    down = [(run[0], "Failed", *run[2:]) for run in up]
    live.end(*up)
    live.begin()
    live.end(*down)
    live.wait_for("P1: all 3 pipelines are down")
    live.end(*down)
    live.settle()
    assert len([title for title in live.titles("on-call") if "P1" in title]) == 1
    live.end(up[0], down[0])
    live.wait_for("P1: all 3 pipelines are down", 2)
    live.settle()
    assert len([title for title in live.titles("on-call") if "P1" in title]) == 2


def test_what_happens_while_the_server_is_out_of_reach_is_told_once_it_is_back(
    live: Live,
) -> None:
    live.kill_sentinel()
    with relay_to(live.state.prefect_api_url) as relay:
        live.start_sentinel(relay.url)
        live.begin()
        relay.cut()
        live.end(("cut-off", "Failed"), ("cut-off", "Completed"), ("other", "Failed"))
        relay.mend()
        live.wait_for("Recovered: cut-off")
        live.wait_for("Pipeline failed: other")
        live.end(("other", "Completed"))
        live.wait_for("Recovered: other")
        live.settle()
        assert len(live.messages()) == 4
        live.kill_sentinel()
    live.start_sentinel()


def test_sigterm_ends_it_at_once_and_in_good_order(live: Live) -> None:
    live.kill_sentinel()  # two would share a log
    service = live.start_sentinel()
    try:
        live.wait_for_log(service, "following")
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(20) == 0
        assert "Traceback" not in service.log_file.read_text()
    finally:
        live.start_sentinel()


def test_two_sentinels_tell_everything_once(live: Live) -> None:
    live.start_sentinel()
    live.begin()
    live.end(*[("twins", "Failed")] * 3)
    live.wait_for("CRITICAL: twins", 2)
    live.settle()
    assert len(live.messages()) == 5


def test_kills_lose_and_double_nothing(live: Live) -> None:
    report = soak(live.stack, live.state, kills=10, seed=1, say=print)
    assert report.passed, str(report)
    assert report.due > 0


def test_a_stack_whose_sentinel_was_never_started_is_not_silently_dead(
    sandbox: SandboxState,
) -> None:
    with deployed(sandbox, **SILENT) as live:
        live.wait_for(ALERTING_IS_DOWN)
        live.wait_for_standby(on=True)
        live.end(*[("unwatched", "Failed")] * 3)
        live.wait_for("CRITICAL: unwatched failed 3 times", 2)
        live.settle()
        assert live.titles("data-alerts").count(":x: Pipeline failed: unwatched") == 3
        live.start_sentinel()
        live.wait_for("Alerting is back")
        live.wait_for_standby(on=False)
        live.begin()
        live.end(("unwatched", "Completed"))
        live.wait_for("Recovered: unwatched")
        live.settle()
        # The stack was deployed, and nobody judged: what the standby told is not told again, and
        # the incident that it opened is closed.
        assert live.titles("on-call") == ["Resolved: unwatched"]
        assert len(live.messages()) == 2


def test_a_killed_sentinel_is_missed_the_standby_tells_and_nothing_is_told_twice(
    sandbox: SandboxState,
) -> None:
    with deployed(sandbox, **SILENT) as live:
        live.start_sentinel()
        live.begin()
        live.end(("left-alone", "Failed"))
        live.wait_for("Pipeline failed: left-alone")
        live.kill_sentinel()
        live.end(("left-alone", "Crashed"))
        live.wait_for(ALERTING_IS_DOWN)
        live.wait_for_standby(on=True)
        live.end(("left-alone", "Failed"))
        live.wait_for("Pipeline failed: left-alone", 2)
        live.start_sentinel()
        # What fell between the kill and the standby, and the streak, which the standby cannot see.
        live.wait_for("CRITICAL: left-alone failed 3 times in a row", 2)
        live.wait_for("Pipeline failed: left-alone", 3)
        live.settle()
        assert len(live.titles("data-alerts")) == 3 + 1
        # Down, the streak, and that the first of both is over.
        assert len(live.titles("on-call")) == 3
        changes = live.stack.preview().change_summary
        assert set(changes) == {OpType.SAME}


def test_a_work_pool_keeps_it_running(sandbox: SandboxState) -> None:
    with deployed(sandbox) as live:
        refused = _deploy(sandbox, "no-such-pool")
        assert refused.returncode == 2
        assert "there is no work pool 'no-such-pool'" in refused.stderr
        answer = _deploy(sandbox, "sandbox")
        assert answer.returncode == 0, answer.stderr
        assert "data-alerts-sentinel/sentinel" in answer.stdout
        try:
            live.begin()
            live.end(("hosted", "Failed"))
            live.wait_for("Pipeline failed: hosted")
        finally:
            live.remove_deployment("data-alerts-sentinel/sentinel")


def _deploy(sandbox: SandboxState, pool: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alerting.ctl", "sentinel", "deploy", "--work-pool", pool],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PREFECT_API_URL": sandbox.prefect_api_url},
    )
