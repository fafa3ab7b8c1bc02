"""What is in the services of a sandbox, asked past everything that deploys to them."""

from typing import Any

import boto3
from botocore.config import Config

from alerting.adoption.workspace import slug_of
from sandbox.credentials import AWS_ACCESS_KEY
from sandbox.state import SandboxState
from tests.contract.patient import ask


def prefect(sandbox: SandboxState, method: str, path: str, json: object = None) -> Any:  # noqa: ANN401 - JSON
    """Ask Prefect's API."""
    return ask(method, sandbox.prefect_api_url + path, json)


def automations(sandbox: SandboxState) -> list[dict[str, Any]]:
    found = prefect(sandbox, "POST", "/automations/filter", json={})
    return sorted(found, key=lambda automation: str(automation["name"]))


def blocks(sandbox: SandboxState) -> dict[str, Any]:
    """Every block by its slug: blocks of two types may share a name."""
    query = {"include_secrets": True}
    found = prefect(sandbox, "POST", "/block_documents/filter", json=query)
    return {slug_of(block): block for block in found}


def aws(sandbox: SandboxState) -> Any:  # noqa: ANN401 - boto3 makes the client's class up
    return boto3.client(
        "secretsmanager",
        endpoint_url=sandbox.moto_url,
        region_name="eu-west-1",
        aws_access_key_id=AWS_ACCESS_KEY,
        aws_secret_access_key=AWS_ACCESS_KEY,
        config=Config(proxies={}),
    )
