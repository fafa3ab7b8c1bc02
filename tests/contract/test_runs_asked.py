"""What the sentinel asks of a real Prefect server about runs of a thousand pipelines."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from prefect import flow
from prefect.client.orchestration import PrefectClient
from prefect.states import Completed, Crashed, Failed

from alerting.sentinel.history import Ended
from alerting.sentinel.prefect_runs import FLOWS_AT_ONCE, PrefectRuns
from sandbox.prefect_client import client_of
from tests.shared.example_stack import published_of

pytestmark = pytest.mark.contract

SETTINGS = published_of()
NAMES = [f"asked-{number}" for number in range(FLOWS_AT_ONCE)]


async def happen(client: PrefectClient, name: str, states: str) -> None:
    """Runs of a flow that end one after another: successes, failures and crashes."""
    made = {"S": Completed, "F": Failed, "C": Crashed}

    @flow(name=name)
    def pipeline() -> None:
        pass

    for state in states:
        await client.create_flow_run(pipeline, tags=[SETTINGS.tag], state=made[state]())


@pytest.fixture(scope="module")
def asked(prefect_server: str) -> dict[str, list[Ended]]:
    async def ask() -> dict[str, list[Ended]]:
        since = datetime.now(UTC) - timedelta(seconds=1)
        async with client_of(prefect_server) as client:
            for name, states in (
                ("asked-0", "SFS"),
                ("asked-999", "SC"),
                ("asked-1", "SS"),
                ("not-asked", "SF"),
            ):
                await happen(client, name, states)
            runs, until = PrefectRuns(client), datetime.now(UTC) + timedelta(seconds=1)
            return {
                "lost": await runs.lost_since(SETTINGS, since, ["asked-0"], NAMES),
                "silence of some": await runs.failed_since(SETTINGS, (since, until), NAMES),
                "silence of all": await runs.failed_since(SETTINGS, (since, until)),
            }

    return asyncio.run(ask())


def ends(found: list[Ended]) -> list[tuple[str, bool]]:
    return sorted((ended.flow, ended.failed) for ended in found)


def test_failures_of_all_and_successes_of_those_named_are_found(
    asked: dict[str, list[Ended]],
) -> None:
    assert ends(asked["lost"]) == [
        ("asked-0", False),
        ("asked-0", False),
        ("asked-0", True),
        ("asked-1", False),
        ("asked-1", False),
        ("asked-999", False),
        ("asked-999", True),
        ("not-asked", True),
    ]


def test_of_a_silence_failures_and_the_successes_after_them_are_found(
    asked: dict[str, list[Ended]],
) -> None:
    assert ends(asked["silence of some"]) == [
        ("asked-0", False),
        ("asked-0", True),
        ("asked-999", False),
        ("asked-999", True),
    ]
    assert ("not-asked", True) in ends(asked["silence of all"])
    assert "asked-1" not in {ended.flow for ended in asked["silence of all"]}
