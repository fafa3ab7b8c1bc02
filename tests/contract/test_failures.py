"""The recent failures and the test flow, against a real Prefect server."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect import Flow, State, get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed, Crashed, Failed

from alerting import failures
from alerting.failures import recent_failures
from sandbox.environment import base_environment
from sandbox.services import REPOSITORY

pytestmark = pytest.mark.contract


@pytest.fixture(autouse=True)
def _server(prefect_server: str) -> Iterator[None]:
    with temporary_settings({PREFECT_API_URL: prefect_server}):
        yield


def end_runs(flow: str, tag: str, states: list[State[Any]], deployment: str) -> None:
    """Record runs of a flow that ended in these states, one after another."""

    async def record() -> None:
        async with get_client() as client:
            flow_object = Flow(lambda: None, name=flow)
            flow_id = await client.create_flow(flow_object)
            deployment_id = await client.create_deployment(flow_id, deployment)
            for state in states:
                run = await client.create_flow_run_from_deployment(deployment_id, tags=[tag])
                await client.set_flow_run_state(run.id, state, force=True)

    asyncio.run(record())


def test_failures_are_found_newest_first_across_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    flow, tag = f"orders-{uuid4()}", f"tag-{uuid4()}"
    states: list[State[Any]] = [
        Failed(message="1"),
        Completed(),
        Crashed(message="2"),
        Failed(name="TimedOut", message="3"),
        Failed(message="4"),
        Failed(message="5"),
    ]
    end_runs(flow, tag, states, "nightly")
    monkeypatch.setattr(failures, "PAGE", 2)
    found = asyncio.run(recent_failures(tag=tag))
    assert [(run.state, run.message) for run in found] == [
        ("Failed", "5"),
        ("Failed", "4"),
        ("TimedOut", "3"),
        ("Crashed", "2"),
        ("Failed", "1"),
    ]
    assert {(run.flow, run.deployment) for run in found} == {(flow, "nightly")}
    assert all(run.url and run.url.endswith(f"/runs/flow-run/{run.run_id}") for run in found)
    assert [run.message for run in asyncio.run(recent_failures(3, flow=flow))] == ["5", "4", "3"]
    assert asyncio.run(recent_failures(tag=tag, flow="another")) == []


def test_the_test_flow_fails_with_the_tag(prefect_server: str, tmp_path: Path) -> None:
    tag = f"tag-{uuid4()}"
    finished = run_test_alert(prefect_server, tmp_path, "--tag", tag)
    assert finished.returncode == 0, finished.stderr
    (run,) = asyncio.run(recent_failures(tag=tag))
    assert (run.flow, run.deployment, run.state) == ("test-alert", None, "Failed")
    assert "This is a test failure - ignore" in run.message
    assert str(run.url) in finished.stdout


def test_the_test_flow_says_that_prefect_is_unreachable(tmp_path: Path) -> None:
    finished = run_test_alert("http://127.0.0.1:1/api", tmp_path)
    assert finished.returncode == 2
    assert "Prefect cannot be reached at http://127.0.0.1:1/api" in finished.stderr
    assert "Traceback" not in finished.stderr


def run_test_alert(api_url: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alerting.test_alert", *arguments],
        cwd=folder,
        env={
            **base_environment(),
            "PREFECT_API_URL": api_url,
            "PREFECT_HOME": str(folder),
            "PYTHONPATH": str(REPOSITORY),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
