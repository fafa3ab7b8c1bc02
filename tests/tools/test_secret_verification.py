"""What is found about a secret: in Secrets Manager, in the block, at Slack."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from alerting.adoption.workspace import Workspace, WorkspaceError
from alerting.secrets.declared import BlockField, declared_secrets, secret_named
from alerting.secrets.errors import SecretsError
from alerting.secrets.prefect_blocks import PrefectBlocks, workspace_of
from alerting.secrets.secrets_manager import Presence, Stored
from alerting.secrets.verification import Finding, Verdict, verify
from alerting.secrets.webhooks import Answer, Pulse, ask
from alerting.settings.stackfile import StackFile
from tests.shared.example_stack import STACK, settings_of
from tests.shared.secret_store import NEW, OLD

pytestmark = pytest.mark.tools

FIELD = BlockField("slack-webhook", "alerts", "url")
ALIVE = Answer(Pulse.LIVE, "the webhook answers")


class Values:
    def __init__(
        self, value: str | None = OLD, presence: Presence = Presence.PRESENT, problem: str = ""
    ) -> None:
        self._value, self._presence, self._problem = value, presence, problem

    def stored(self, name: str) -> Stored:
        if self._problem:
            raise SecretsError(self._problem)
        return Stored(self._presence, datetime(2026, 11, 24, tzinfo=UTC))

    def current(self, name: str) -> SecretStr | None:
        return SecretStr(self._value) if self._value is not None else None


class Blocks:
    def __init__(self, value: str | None = OLD, problem: str = "") -> None:
        self._value, self._problem = value, problem

    def value(self, field: BlockField) -> SecretStr | None:
        if self._problem:
            raise SecretsError(self._problem)
        return SecretStr(self._value) if self._value is not None else None


def found(
    values: Values | None = None,
    blocks: Blocks | None = None,
    answer: Answer = ALIVE,
    key: str = "slack-url",
) -> list[Finding]:
    secret = secret_named(declared_secrets(StackFile(STACK, settings_of())), key)
    return list(verify(secret, values or Values(), blocks or Blocks(), lambda *_: answer))


def verdicts(findings: list[Finding]) -> list[Verdict]:
    return [finding.verdict for finding in findings]


def test_a_secret_that_is_right_is_good_in_every_check() -> None:
    assert [(finding.verdict, finding.text) for finding in found()] == [
        (Verdict.GOOD, "prefect/slack-url holds a value since 2026-11-24"),
        (Verdict.GOOD, "block slack-webhook/alerts holds the same"),
        (Verdict.GOOD, "the webhook answers"),
    ]


@pytest.mark.parametrize(
    ("presence", "words"),
    [
        (Presence.MISSING, "is missing: make it with `alertctl secrets put slack-url`"),
        (Presence.EMPTY, "is empty: fill it"),
        (Presence.SCHEDULED, "is scheduled for deletion: restore it"),
    ],
)
def test_a_secret_that_is_not_there_is_wrong_and_says_what_to_do(
    presence: Presence, words: str
) -> None:
    [finding] = found(Values(None, presence))
    assert finding.verdict is Verdict.WRONG
    assert words in finding.text


def test_a_block_with_another_value_is_wrong_and_no_value_is_shown() -> None:
    findings = found(blocks=Blocks(NEW))
    assert verdicts(findings) == [Verdict.GOOD, Verdict.WRONG, Verdict.GOOD]
    assert OLD not in str(findings)
    assert NEW not in str(findings)


def test_a_missing_block_is_wrong() -> None:
    assert found(blocks=Blocks(None))[1].text == (
        "block slack-webhook/alerts is missing: deploy the stack"
    )


def test_a_dead_webhook_is_wrong() -> None:
    assert found(answer=Answer(Pulse.DEAD, "dead"))[2] == Finding(
        "slack-url", Verdict.WRONG, "dead"
    )


def test_what_does_not_answer_is_unknown_and_the_rest_is_checked() -> None:
    assert verdicts(found(blocks=Blocks(problem="no answer"))) == [
        Verdict.GOOD,
        Verdict.UNKNOWN,
        Verdict.GOOD,
    ]
    assert verdicts(found(Values(problem="no credentials"))) == [Verdict.UNKNOWN]
    assert verdicts(found(answer=Answer(Pulse.UNKNOWN, "no answer")))[2] is Verdict.UNKNOWN


def test_a_value_of_the_wrong_kind_is_wrong_and_slack_is_not_asked() -> None:
    findings = found(Values("http://hooks.slack.com/x"), Blocks("http://hooks.slack.com/x"))
    assert verdicts(findings) == [Verdict.WRONG, Verdict.GOOD]


def test_a_pagerduty_key_is_not_provable_without_paging() -> None:
    values = Values("fake" * 8)
    answer = ask("pagerduty", SecretStr("fake" * 8))
    findings = found(values, Blocks("fake" * 8), answer, key="pagerduty-key")
    assert findings[-1] == Finding(
        "pagerduty-key",
        Verdict.UNPROVABLE,
        "not provable without paging: use alertctl drill --page",
    )


def test_a_secret_that_no_channel_uses_is_wrong() -> None:
    secrets = {
        "slack-url": {"name": "slack", "from": "env"},
        "spare": {"name": "spare", "from": "env"},
    }
    channels = {"alerts": {"kind": "slack", "block": "alerts", "secret": "slack-url"}}
    tiers = {"warning": {"notify": ["alerts"]}}
    settings = settings_of(
        secrets=secrets, channels=channels, tiers=tiers, escalation=[], pipelines={}
    )
    spare = secret_named(declared_secrets(StackFile(STACK, settings)), "spare")
    findings = list(verify(spare, Values("fake"), Blocks(), lambda *_: ALIVE))
    assert verdicts(findings) == [Verdict.GOOD, Verdict.WRONG]


def blocks_answering(data: object = None, problem: str = "") -> PrefectBlocks:
    class Answering(Workspace):
        def blocks(self, slugs: Iterable[str]) -> list[dict[str, Any]]:
            assert list(slugs) == ["slack-webhook/alerts"]
            if problem:
                raise WorkspaceError(problem)
            return [] if data is None else [{"data": data}]

    return PrefectBlocks(Answering("http://prefect/api"))


def test_a_block_is_read_with_its_secret() -> None:
    value = blocks_answering({"url": OLD}).value(FIELD)
    assert value is not None
    assert value.get_secret_value() == OLD


def test_a_block_that_is_not_there_has_no_value() -> None:
    assert blocks_answering().value(FIELD) is None


@pytest.mark.parametrize("data", [{"url": "********"}, {"other": OLD}, OLD])
def test_a_block_whose_secret_is_hidden_is_no_block_with_another_value(data: object) -> None:
    with pytest.raises(SecretsError, match="hides what slack-webhook/alerts holds") as refused:
        blocks_answering(data).value(FIELD)
    assert OLD not in str(refused.value)


def test_what_prefect_refuses_is_said_with_the_variables_that_log_in() -> None:
    with pytest.raises(SecretsError, match="PREFECT_API_KEY or PREFECT_API_AUTH_STRING"):
        blocks_answering(problem="Prefect refused the credentials.").value(FIELD)


@pytest.mark.parametrize(
    ("environment", "key", "login"),
    [
        ({}, None, None),
        ({"PREFECT_API_KEY": "key", "PREFECT_BASIC_AUTH_KEY": "admin:pass"}, "key", None),
        ({"PREFECT_API_AUTH_STRING": "admin:pass"}, None, "admin:pass"),
        ({"PREFECT_BASIC_AUTH_KEY": "admin:pass"}, None, "admin:pass"),
    ],
)
def test_credentials_for_prefect_come_from_the_environment(
    environment: dict[str, str], key: str | None, login: str | None
) -> None:
    workspace = workspace_of(settings_of().prefect, environment)
    assert (workspace.api_key, workspace.basic_auth_key) == (key, login)
    assert workspace.endpoint == "https://prefect.example.com/api"
