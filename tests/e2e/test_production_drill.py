"""`alertctl drill --stack` against a real server, sentinel, blocks and capture."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from alerting.drills.playing import last_drill
from sandbox.prefect_client import client_of
from sandbox.state import SandboxState
from tests.e2e.in_services import blocks, prefect
from tests.e2e.live import Live, deployed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

SLACK = ("data-alerts", "data-alerts-critical", "data-info")
ELSEWHERE = "https://hooks.slack.com/services/T0ELSEWHERE/B0ELSEWHERE/n0t4ch4nnel"
SUBJECTS = [
    "DRILL: trying the alerting of sandbox, nothing is wrong",
    "DRILL ended: the alerting of sandbox was tried",
]


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


def drill(live: Live, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and report of a drill, whose messages the capture judges as well."""
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "alerting.ctl", "drill", "--stack", "sandbox", "--json"),
            *("--sandbox", str(live.state.folder), *options),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_PROXY": "127.0.0.1,localhost"},
    )
    assert "Traceback" not in answer.stderr
    assert answer.stdout, answer.stderr
    report: dict[str, Any] = json.loads(answer.stdout)
    return answer.returncode, report


def missing(report: dict[str, Any]) -> dict[str, str]:
    """Why a message did not arrive in time, by channel."""
    return {each["channel"]: each["problem"] for each in report["deliveries"] if each["problem"]}


def test_slack_hears_of_a_drill_and_its_end_and_nobody_is_paged(live: Live) -> None:
    code, report = drill(live)
    assert (code, missing(report)) == (0, {})
    assert len(report["deliveries"]) == 2 * len(SLACK)
    live.settle()
    assert {channel: live.titles(channel) for channel in SLACK} == dict.fromkeys(SLACK, SUBJECTS)
    assert live.titles("on-call") == []


def test_on_call_is_paged_once_when_asked_for_and_the_incident_is_closed(live: Live) -> None:
    code, report = drill(live, "--page")
    assert (code, missing(report)) == (0, {})
    live.settle()
    assert live.titles("on-call") == SUBJECTS
    opened, closed = (m.payload for m in live.messages() if m.channel == "on-call")
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"]
    assert len(live.messages()) == 2 * len(SLACK) + 2


def test_a_drill_between_failures_leaves_the_streak_as_it_was(live: Live) -> None:
    flow = "drilled"
    live.end(*[(flow, "Failed")] * 2)
    live.wait_for(f"Pipeline failed: {flow}", 2)
    code, _ = drill(live)
    assert code == 0
    live.settle()
    assert not [title for title in live.titles("on-call") if title]
    live.end((flow, "Failed"))
    live.wait_for(f"CRITICAL: {flow} failed 3 times in a row", 2)


def test_a_broken_block_is_found_and_its_channel_named(live: Live) -> None:
    block = blocks(live.state)["slack-webhook/alerts-critical"]
    path = f"/block_documents/{block['id']}"
    right = block["data"]
    broken = {"data": {**right, "url": ELSEWHERE}}
    prefect(live.state, "PATCH", path, json=broken)
    try:
        code, report = drill(live)
    finally:
        prefect(live.state, "PATCH", path, json={"data": right})
    assert code == 1
    assert set(missing(report)) == {"data-alerts-critical"}
    assert "Notification failed" in missing(report)["data-alerts-critical"]
    assert "n0t4ch4nnel" not in json.dumps(report)
    arrived = [each["channel"] for each in report["deliveries"] if not each["problem"]]
    assert sorted(arrived) == ["data-alerts", "data-alerts", "data-info", "data-info"]


def test_the_last_drill_can_be_read_back_from_prefects_own_events(live: Live) -> None:
    _, report = drill(live)
    api = live.state.prefect_api_url

    async def read() -> dict[str, object] | None:
        async with client_of(api) as client:
            last = await last_drill(client, live.stack.plan.published)
        return last.document() if last else None

    assert asyncio.run(read()) == report


def test_a_sentinel_that_is_down_is_said_and_does_not_replay_the_drill(live: Live) -> None:
    live.kill_sentinel()
    code, report = drill(live, "--within", "12s")
    assert code == 1
    assert set(missing(report)) == set(SLACK)
    for problem in missing(report).values():
        assert problem.startswith("the sentinel did not answer. It was last heard of at ")
    service = live.start_sentinel()
    live.wait_for_log(service, "following")
    live.settle()
    assert not [message for message in live.messages() if "DRILL" in message.title]


def test_native_triggers_act_on_the_drill_without_a_sentinel(sandbox: SandboxState) -> None:
    with deployed(sandbox, evaluation="triggers") as live:
        live.settle()
        # What the stack before this one had still to say has been said.
        live.since = datetime.now(UTC)
        code, report = drill(live, "--page")
        assert (code, missing(report)) == (0, {})
        live.settle()
        assert live.titles("on-call") == SUBJECTS
        assert live.titles("data-info") == SUBJECTS
        assert len(live.messages()) == 2 * len(SLACK) + 2
