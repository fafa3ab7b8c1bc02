"""Since when a real server knows of pipelines, and what is expected of those that it does not."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from alerting.plan.published import PublishedSettings
from alerting.sentinel.prefect_workspace import PrefectWorkspace
from sandbox.live_load import publish
from sandbox.prefect_client import client_of
from tests.shared.example_stack import published_of

pytestmark = pytest.mark.contract


def test_a_pipeline_is_known_since_its_deployment_or_flow_was_made(prefect_server: str) -> None:
    name = f"load-{uuid4().hex[:8]}"
    expected = {"owner": "web", "freshWithin": "26h"}
    settings = published_of(
        pipelines={
            "any": {**expected, "flow": name},
            "prod": {**expected, "flow": name, "deployment": "prod"},
            "to-come": {**expected, "flow": f"{name}-to-come"},
            "not-deployed": {**expected, "flow": name, "deployment": "staging"},
            "expects-nothing": {"owner": "web"},
        },
    )
    before = datetime.now(UTC) - timedelta(seconds=1)
    known, made = asyncio.run(ask(prefect_server, settings, name))
    assert known["any"] == made["flow"]
    assert known["prod"] == made["deployment"] > made["flow"]
    assert known["to-come"] == known["not-deployed"] == made["settings"]
    assert before < made["flow"]


async def ask(
    api: str, settings: PublishedSettings, name: str
) -> tuple[dict[str, datetime], dict[str, datetime]]:
    async with client_of(api) as client:
        flow = await client.create_flow_from_name(name)
        other = await client.create_flow_from_name(f"{name}-other")
        await client.create_deployment(flow_id=other, name="prod")
        deployment = await client.create_deployment(flow_id=flow, name="prod")
        await publish(client, settings, name)
        workspace = PrefectWorkspace(client, name)
        known = await workspace.first_known(settings)
        block = await client.read_block_document_by_name(f"{name}-data-alerts", "secret")
        made = {
            "flow": (await client.read_flow(flow)).created,
            "deployment": (await client.read_deployment(deployment)).created,
            "settings": block.updated,
        }
    return known, {what: time for what, time in made.items() if time}
