"""The pages over a sandbox in which pipelines failed: every figure is the server's."""

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from alerting.observing.wording import lasting, percent
from sandbox.chromium import chromium
from sandbox.environment import base_environment
from sandbox.lifecycle import passing_sandbox
from sandbox.processes import start_service
from sandbox.services import REPOSITORY, wait_until
from sandbox.state import SandboxState
from tests.e2e.in_services import prefect
from tests.e2e.live import Live, deployed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SERVING = re.compile(r"serving at (http://\S+)")
CLICKS = ("load-clicks", "prod")
FAILED = {"FAILED", "CRASHED"}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Pipelines that worked, one in a streak that was told, and one that recovered.

    In a sandbox of its own: the pages show all that a server remembers, also other tests' runs.
    """
    folder = tmp_path_factory.mktemp("sandbox")
    with passing_sandbox(folder) as state, deployed(state) as live:
        yield told(live)


def told(live: Live) -> Live:
    live.start_sentinel()
    live.wait_until_followed()
    live.begin()
    live.end(("products-daily", "Completed"), ("products-daily", "Failed"))
    live.end(("exchange-rates-daily", "Failed"), ("exchange-rates-daily", "Completed"))
    live.end((*CLICKS[:1], "Completed", "prod"), ("not-listed", "Crashed"))
    live.end(("products-daily", "TimedOut"), ("products-daily", "Failed"))
    live.wait_for("CRITICAL: products-daily failed 3 times", 2)
    live.settle()
    return live


@pytest.fixture(scope="module")
def page_url(story: Live, tmp_path_factory: pytest.TempPathFactory) -> str:
    """`alertctl serve` as anybody runs it."""
    folder = tmp_path_factory.mktemp("pages")
    service = start_service(
        "pages",
        [
            *(sys.executable, "-m", "alerting.ctl", "serve", "--port", "0"),
            *("--file", str(story.stack.stack_file)),
        ],
        story.state.folder,
        {
            **base_environment(),
            "PYTHONPATH": str(REPOSITORY),
            "PREFECT_HOME": str(folder),
            "XDG_CACHE_HOME": str(folder),
            "NO_PROXY": "127.0.0.1",
        },
    )
    wait_until(service, lambda: bool(SERVING.search(service.log_tail())))
    found = SERVING.search(service.log_tail())
    assert found
    return found[1]


@pytest.fixture
def tab(page_url: str) -> Iterator[Page]:
    with chromium() as browser, browser.new_context(base_url=page_url) as context:
        yield context.new_page()


def runs_of(sandbox: SandboxState, flow: str) -> list[dict[str, Any]]:
    """What the API says of a flow's ends, the newest first."""
    body = {"flows": {"name": {"any_": [flow]}}, "sort": "END_TIME_DESC", "limit": 200}
    found: list[dict[str, Any]] = prefect(sandbox, "POST", "/flow_runs/filter", json=body)
    return [run for run in found if run["end_time"]]


def seconds_of(run: dict[str, Any]) -> float:
    ended = datetime.fromisoformat(run["end_time"])
    started = datetime.fromisoformat(run["start_time"]) if run["start_time"] else ended
    return max((ended - started) / timedelta(seconds=1), 0.0)


def complete(tab: Page, path: str) -> None:
    tab.goto(path)
    expect(tab.locator("#part table").first).to_be_visible(timeout=60_000)
    expect(tab.locator("#progress")).to_have_count(0, timeout=60_000)


def test_every_figure_of_the_overview_is_the_servers(tab: Page, story: Live) -> None:
    complete(tab, "/")
    expect(tab.locator("#state-failing strong")).to_have_text("2")
    expect(tab.locator("#state-all strong")).to_have_text("4")
    rows = tab.locator("#pipelines tbody tr")
    expect(rows).to_have_count(4)
    keys = [rows.nth(n).get_attribute("data-pipeline") or "" for n in range(4)]
    assert keys[:2] == ["products-daily", "not-listed"]
    for key in keys:
        runs = runs_of(story.state, key.partition("/")[0])
        assert runs, key
        row = tab.locator(f'tr[data-pipeline="{key}"]')
        failed = [run["state"]["type"] in FAILED for run in runs]
        streak = failed.index(False) if False in failed else len(failed)
        expect(row.locator(".badge")).to_have_text("failing" if failed[0] else "healthy")
        expect(row.locator(".in-a-row")).to_have_count(1 if streak else 0)
        if streak:
            expect(row.locator(".in-a-row")).to_contain_text(str(streak))
        good = sorted(seconds_of(r) for r, bad in zip(runs, failed, strict=True) if not bad)
        mean = lasting(sum(good) / len(good)) if good else "-"
        p95 = lasting(good[-(-95 * len(good) // 100) - 1]) if good else "-"
        for days in (7, 30):
            rate = percent(1 - sum(failed) / len(runs))
            expect(row.locator(f".rate-{days}")).to_have_text(rate)
            expect(row.locator(f".mean-{days}")).to_have_text(mean)
            expect(row.locator(f".p95-{days}")).to_have_text(p95)


def test_a_pipelines_page_has_its_runs_and_who_was_told(tab: Page, story: Live) -> None:
    complete(tab, "/pipelines/products-daily")
    runs = runs_of(story.state, "products-daily")
    shown = tab.locator("#runs tbody tr")
    expect(shown).to_have_count(len(runs))
    for number, run in enumerate(runs):
        link = shown.nth(number).get_by_role("link")
        expect(link).to_have_text(run["state"]["name"])
        expect(link).to_have_attribute("href", re.compile(run["id"]))
    expect(tab.locator("#streak")).to_have_text("3")
    expect(tab.locator("#incident")).to_contain_text("streak since")
    arrived = [m for m in story.messages() if "products-daily" in m.title]
    expect(tab.locator("tr.notification")).to_have_count(len(arrived))
    channels = tab.locator("tr.notification td:nth-child(3)").all_text_contents()
    assert sorted(channels) == sorted(message.channel for message in arrived)


def test_the_alerting_is_said_to_work_and_told_what_arrived(tab: Page, story: Live) -> None:
    complete(tab, "/alerting")
    expect(tab.locator("#checks li.wrong")).to_have_count(0)
    expect(tab.locator("#checks")).to_contain_text("automations and blocks are as planned")
    expect(tab.locator("tr.notification")).to_have_count(len(story.messages()))


def test_status_says_the_same_and_that_something_is_failing(story: Live, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "alerting.ctl", "status"]
    run = subprocess.run(
        [*command, "--file", str(story.stack.stack_file)],
        cwd=REPOSITORY,
        env={
            **base_environment(),
            "PREFECT_HOME": str(tmp_path),
            "XDG_CACHE_HOME": str(tmp_path),
            "NO_PROXY": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "2 failing" in run.stdout
