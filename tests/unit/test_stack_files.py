"""Stack files that are right: this repository's own, and what YAML allows beside."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from alerting.settings import Encrypted, SecretSource, SettingsError
from alerting.settings.stackfile import read_stack_file, stack_files
from tests.shared.mistakes import BASE

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
ID = "00000000-0000-0000-0000-000000000000"

# The configuration in the issue that asked for this parser; ids stand for <id>.
ASKED_FOR = f"""
config:
  aws:region: eu-west-1
  data-alerts:prefect:
    endpoint: https://api.prefect.cloud/api/accounts/{ID}/workspaces/{ID}   # or a self-hosted .../api
    apiKey: {{secure: ...}}              # or basicAuthKey, or neither
    uiUrl: https://app.prefect.cloud/...   # optional
  data-alerts:tag: dlt
  data-alerts:secrets:
    slack-webhook-url:          {{name: prefect/slack-webhook-url, value: {{secure: ...}}}}
    slack-webhook-url-critical: {{name: prefect/slack-webhook-url-critical, value: {{secure: ...}}}}
    slack-webhook-url-info:     {{name: prefect/slack-webhook-url-info, from: env}}
    pagerduty-integration-key:  {{name: prefect/pagerduty-integration-key, from: secretsmanager}}
  data-alerts:channels:
    data-alerts:          {{kind: slack, block: alerts, secret: slack-webhook-url}}
    data-alerts-critical: {{kind: slack, block: alerts-critical, secret: slack-webhook-url-critical}}
    data-info:            {{kind: slack, block: info, secret: slack-webhook-url-info}}         # optional
    on-call:              {{kind: pagerduty, block: data-pipelines, secret: pagerduty-integration-key}}
  data-alerts:tiers:
    warning:  {{notify: [data-alerts]}}
    critical: {{consecutiveFailures: 3, notify: [data-alerts-critical, on-call]}}   # within: 24h by default
    p1:       {{notify: [on-call]}}
  data-alerts:escalation:
    - {{after: 15m, to: on-call engineer, notify: [on-call]}}
    - {{after: 30m, to: team lead, notify: [on-call]}}
    - {{after: 1h,  to: manager, notify: [on-call]}}
  data-alerts:pipelines:
    products-daily:       {{owner: data-platform, runbook: https://..., every: 24h, escalate: true, announceSuccess: true}}
    exchange-rates-daily: {{owner: data-platform, every: 24h, escalate: true}}
    clicks-hourly:        {{owner: web, flow: load-clicks, deployment: prod, every: 1h}}   # flow and deployment default to the name and to any
"""  # noqa: E501 - as it was written


def written(folder: Path, text: str) -> Path:
    path = folder / "Pulumi.example.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("stack", ["dev", "staging", "prod", "sandbox"])
def test_each_stack_file_of_this_project_is_right(stack: str) -> None:
    read = read_stack_file(ROOT / f"Pulumi.{stack}.yaml")
    assert read.stack == stack
    assert list(read.settings.pipelines) == [
        "products-daily",
        "exchange-rates-daily",
        "clicks-hourly",
    ]


def test_every_stack_file_is_found_and_the_project_file_is_not_one() -> None:
    names = {path.name for path in stack_files(ROOT)}
    assert {
        "Pulumi.dev.yaml",
        "Pulumi.staging.yaml",
        "Pulumi.prod.yaml",
        "Pulumi.sandbox.yaml",
    } <= names
    assert "Pulumi.yaml" not in names


def test_a_folder_without_stack_files_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"there is no stack file\. Run this in the project's"):
        stack_files(tmp_path)


def test_the_configuration_that_was_asked_for_is_read(tmp_path: Path) -> None:
    settings = read_stack_file(written(tmp_path, ASKED_FOR)).settings
    assert settings.prefect.is_cloud
    assert settings.prefect.api_key == Encrypted()
    assert settings.secrets["slack-webhook-url"].value == Encrypted()
    assert settings.secrets["slack-webhook-url-info"].source is SecretSource.ENV
    assert [step.after for step in settings.escalation] == [
        timedelta(minutes=15),
        timedelta(minutes=30),
        timedelta(hours=1),
    ]
    assert settings.flow_of("products-daily") == "products-daily"
    assert settings.flow_of("clicks-hourly") == "load-clicks"
    assert settings.pipelines["products-daily"].announce_success
    assert not settings.pipelines["clicks-hourly"].escalate


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "# nothing\n---\n" + text,
        lambda text: text + "encryptionsalt: v1:abc=:v1:abc:abc==\n",
        lambda text: text.replace("owner: shop", "owner: &team shop").replace(
            "owner: web", "owner: *team"
        ),
        lambda text: text.replace("escalate: true", "escalate: &wakes true"),
        lambda text: text.replace("{owner: shop", "&orders {owner: shop").replace(
            "{owner: web", "{<<: *orders, owner: web"
        ),
        lambda text: text.replace("owner: shop", 'owner: "shop"'),
        lambda text: text.replace("owner: shop", "owner: 'Data & Web: the \U0001f980 team'"),
    ],
    ids=[
        *("a byte order mark", "Windows line ends", "a document start", "encryption salt"),
        *("an alias", "a boolean with an anchor", "a merge", "quotes", "any letters"),
    ],
)
def test_what_yaml_allows_is_read(tmp_path: Path, change: object) -> None:
    assert callable(change)
    assert change(BASE) != BASE
    assert list(read_stack_file(written(tmp_path, change(BASE))).settings.pipelines) == [
        "orders",
        "clicks",
    ]


def test_encrypted_values_stay_unread(tmp_path: Path) -> None:
    text = re.sub("from: env", "value: {secure: v1:not-decrypted}", BASE)
    settings = read_stack_file(written(tmp_path, text)).settings
    assert settings.secrets["slack-url"].value == Encrypted()
    assert "not-decrypted" not in repr(settings)
