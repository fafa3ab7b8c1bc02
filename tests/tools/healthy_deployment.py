"""A stack deployed as planned, over fakes of the services, for tests to break."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from alerting.doctor.deployment import Deployment
from alerting.doctor.findings import Trouble
from alerting.doctor.prefect_api import PrefectApi
from alerting.plan.documents import automation_document
from alerting.secrets.secrets_manager import Presence, SecretsManager, Stored

ROOT = Path(__file__).resolve().parents[2]
PROD, DEV = ROOT / "Pulumi.prod.yaml", ROOT / "Pulumi.dev.yaml"
WEBHOOK = "https://hooks.slack.com/services/T00000000/B00000000/FAKE"
Handle = Callable[[httpx.Request], httpx.Response]


def healthy_deployment(monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """The stack of Pulumi.dev.yaml, deployed as planned."""
    deployment = Deployment(DEV, {"PREFECT_BASIC_AUTH_KEY": "admin:fake-password"})
    blocks = {
        rule.slug: {
            "id": f"{rule.key}-id",
            "name": rule.name,
            "block_type": {"slug": rule.type_slug},
            "data": {**copy.deepcopy(rule.data), **dict.fromkeys(rule.secrets, WEBHOOK)},
        }
        for rule in deployment.plan.blocks
    }
    ids = {rule.key: f"{rule.key}-id" for rule in deployment.plan.automations}
    block_ids = {rule.key: f"{rule.key}-id" for rule in deployment.plan.blocks}
    automations: list[dict[str, Any]] = [
        {**copy.deepcopy(automation_document(rule, block_ids, ids)), "id": ids[rule.key]}
        for rule in deployment.plan.automations
    ]
    deployment.__dict__ |= {"blocks": blocks, "automations": automations}
    monkeypatch.setattr(SecretsManager, "stored", lambda *_: Stored(Presence.PRESENT))
    monkeypatch.setattr(SecretsManager, "current", lambda *_: SecretStr(WEBHOOK))
    return deployment


def answering(deployment: Deployment, handle: Handle) -> None:
    """Have Prefect answer like this."""
    api = PrefectApi(deployment.settings.prefect.endpoint, None, None)
    api._client = httpx.Client(transport=httpx.MockTransport(handle))
    deployment.__dict__["prefect"] = api


def told(troubles: Iterator[Trouble]) -> list[str]:
    return [trouble.text for trouble in troubles]
