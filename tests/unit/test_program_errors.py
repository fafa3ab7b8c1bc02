"""What the Pulumi program says of mistakes, and that it says so before it declares anything."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pytest
from ruamel.yaml import YAML

from tests.shared.example_stack import raw_settings
from tests.shared.mistakes import CANARY, Mistake, mistakes, text_of
from tests.shared.recording_mocks import (
    AUTOMATION,
    BLOCK,
    FAKE_ROUTING_KEY,
    FAKE_WEBHOOK,
    SECRET,
    RecordingMocks,
    as_pulumi_hands_over,
    config_of,
    run_program,
)

pytestmark = pytest.mark.unit

FILE = "Pulumi.example.yaml"
NAME = "prefect/pagerduty-key"
FILL = (
    " Fill it and deploy again: alertctl secrets put pagerduty-key --stack example, "
    "which asks for it or takes it by a pipe"
)


def attempt(
    config: Mapping[str, str], in_aws: Mapping[str, str | None] | None = None
) -> tuple[list[str], RecordingMocks]:
    """The lines of the error that the program ends with, and what it had registered until then."""
    mocks = RecordingMocks(in_aws=in_aws or {NAME: FAKE_ROUTING_KEY})
    with pytest.raises(pulumi.RunError) as raised:
        run_program(mocks, "example", config)
    return str(raised.value).splitlines(), mocks


def lines_before_anything_is_declared(config: Mapping[str, str]) -> list[str]:
    lines, mocks = attempt(config)
    assert [resource.token for resource in mocks.resources] == ["pulumi:pulumi:Stack"]
    assert mocks.calls == []
    return lines


def from_environment(key: str, problem: str) -> str:
    return f"{FILE}: data-alerts:{key}: comes from the environment: {problem}"


@pytest.fixture(autouse=True)
def webhooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_URL", FAKE_WEBHOOK)
    monkeypatch.setenv("SLACK_URL_CRITICAL", FAKE_WEBHOOK)
    for variable in ("PREFECT_API_KEY", "PREFECT_BASIC_AUTH_KEY"):
        monkeypatch.delenv(variable, raising=False)


def test_the_example_deploys() -> None:
    mocks = RecordingMocks(in_aws={NAME: FAKE_ROUTING_KEY})
    assert len(run_program(mocks, "example", config_of()).of(AUTOMATION)) == 26


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLACK_URL")
    assert lines_before_anything_is_declared(config_of()) == [
        from_environment("secrets.slack-url", "SLACK_URL is not set. Set it")
    ]


def test_everything_that_is_missing_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLACK_URL")
    monkeypatch.setenv("SLACK_URL_CRITICAL", "")
    prefect = {"endpoint": "https://prefect.example.com/api", "basicAuthKey": {"from": "env"}}
    config = config_of(prefect=prefect) | {"aws:regoin": "eu-west-1"}
    del config["aws:region"]
    assert lines_before_anything_is_declared(config) == [
        f"{FILE}: aws:region: expected the region of the secrets. Add it, such as eu-west-1",
        f"{FILE}: aws:regoin: is not a setting of the AWS provider. Remove it",
        from_environment("prefect.basicAuthKey", "PREFECT_BASIC_AUTH_KEY is not set. Set it"),
        from_environment("secrets.slack-url", "SLACK_URL is not set. Set it"),
        from_environment("secrets.slack-url-critical", "SLACK_URL_CRITICAL is not set. Set it"),
    ]


def test_wrong_settings_are_told_with_what_is_wrong_beside_them() -> None:
    config = config_of(tag="d*", sla={}, pipelines={"orders": {}})
    del config["aws:region"]
    assert [line.split(": ")[1] for line in lines_before_anything_is_declared(config)] == [
        "aws:region",
        "data-alerts:pipelines.orders.owner",
        "data-alerts:sla",
        "data-alerts:tag",
    ]


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        (
            "SLACK_URL",
            FAKE_WEBHOOK.replace("https", "http"),
            "starts with http://, which Prefect never sends to. Expected https://",
        ),
        (
            "SLACK_URL",
            f"{FAKE_WEBHOOK}\n",
            "expected https://hooks.slack.com/services/T.../B.../..., without white space",
        ),
        (
            "SLACK_URL",
            "https://hooks.example.com/services/T0/B0/fake",
            "expected https://hooks.slack.com/services/T.../B.../..., without white space",
        ),
    ],
    ids=["http", "line break", "another host"],
)
def test_a_variable_that_holds_something_else_is_named_without_what_it_holds(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert lines_before_anything_is_declared(config_of()) == [
        from_environment("secrets.slack-url", f"{variable} {problem}")
    ]


BLANK = "is blank. Expected the integration key of PagerDuty's Events API V2 integration"
SPACED = "contains white space. Expected the bare key; pipe it without a line break"


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("pagerduty-key", "", BLANK),
        ("pagerduty-key", "  ", BLANK),
        ("pagerduty-key", f"{FAKE_ROUTING_KEY}\n", SPACED),
        ("pagerduty-key", f"{FAKE_ROUTING_KEY} {FAKE_ROUTING_KEY}", SPACED),
        (
            "slack-url",
            FAKE_WEBHOOK.replace("https", "http"),
            "starts with http://, which Prefect never sends to. Expected https://",
        ),
        (
            "slack-url",
            FAKE_ROUTING_KEY,
            "expected https://hooks.slack.com/services/T.../B.../..., without white space",
        ),
    ],
    ids=["empty key", "blank key", "line break", "two keys", "http", "a key for a webhook"],
)
def test_a_decrypted_value_that_its_channel_cannot_use_is_told_without_it(
    key: str, value: str, problem: str
) -> None:
    secrets = raw_settings()["secrets"]
    secrets[key] = {"name": "prefect/other", "value": value}
    assert lines_before_anything_is_declared(config_of(secrets=secrets)) == [
        f"{FILE}: data-alerts:secrets.{key}.value: {problem}"
    ]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is blank. Expected the key itself"),
        (
            "fake-api-key\n",
            "has white space around it or a line break in it. Pipe it without a line break",
        ),
        (
            "fake\r\nX-Header: yes",
            "has white space around it or a line break in it. Pipe it without a line break",
        ),
    ],
    ids=["blank", "line break", "header"],
)
def test_a_credential_for_prefect_that_no_header_can_carry_is_told_without_it(
    monkeypatch: pytest.MonkeyPatch, value: str, problem: str
) -> None:
    prefect = {"endpoint": "https://prefect.example.com/api", "apiKey": value}
    assert lines_before_anything_is_declared(config_of(prefect=prefect)) == [
        f"{FILE}: data-alerts:prefect.apiKey: {problem}"
    ]
    if value:
        monkeypatch.setenv("PREFECT_API_KEY", value)
        assert lines_before_anything_is_declared(
            config_of(prefect={**prefect, "apiKey": {"from": "env"}})
        ) == [from_environment("prefect.apiKey", f"PREFECT_API_KEY {problem}")]


# Pulumi decrypts what the program reads, and hands over no keys of other namespaces.
ONLY_IN_FILES = (
    "is in plain text",
    "is read by nobody",
    "is not a key of a stack file",
    "is given twice",
    "YAML: ",
    "<key>",
)


def deployable() -> Iterator[Any]:
    for parameter in mistakes():
        (mistake,) = parameter.values
        if "text" not in mistake and not any(words in mistake["error"] for words in ONLY_IN_FILES):
            yield parameter


@pytest.mark.parametrize("mistake", deployable())
def test_no_mistake_in_a_stack_file_reaches_a_provider(mistake: Mistake) -> None:
    config = YAML(typ="safe").load(text_of(mistake))["config"]
    (line,) = lines_before_anything_is_declared(as_pulumi_hands_over(config))
    key = mistake["error"].lstrip("0123456789: ").split(": ")[0]
    assert line.startswith(f"{FILE}: {key}: ")
    assert CANARY not in line


def test_a_secret_that_may_not_be_read_is_not_taken_for_an_empty_one() -> None:
    denied = RecordingMocks(in_aws={NAME: FAKE_ROUTING_KEY}, refusal="AccessDeniedException: no")
    with pytest.raises(pulumi.RunError) as raised:
        run_program(denied, "example", config_of())
    assert "secretsmanager:GetSecretValue" in str(raised.value)
    assert "AccessDeniedException" in str(raised.value)
    assert "secrets put" not in str(raised.value)


def test_an_empty_secret_is_made_and_the_error_says_how_to_fill_it() -> None:
    lines, mocks = attempt(config_of(), in_aws={NAME: None})
    assert lines == [f"{NAME} has no value yet.{FILL}"]
    assert mocks.one(SECRET, "pagerduty-key").inputs["name"] == NAME
    assert [block.name for block in mocks.of(BLOCK) if block.name == "on-call"] == []


def test_a_value_in_aws_that_its_channel_cannot_use_is_told_without_it() -> None:
    lines, mocks = attempt(config_of(), in_aws={NAME: f"{FAKE_ROUTING_KEY}\n"})
    assert lines == [f"The value of {NAME} {SPACED}.{FILL}"]
    assert [block.name for block in mocks.of(BLOCK) if block.name == "on-call"] == []


def test_aws_settings_reach_the_provider_and_secret_ones_stay_secret() -> None:
    config = config_of() | {
        "aws:endpoints": json.dumps([{"secretsmanager": "http://127.0.0.1:5000"}]),
        "aws:skipCredentialsValidation": "true",
        "aws:profile": "fake-but-secret",
    }
    mocks = RecordingMocks(in_aws={NAME: FAKE_ROUTING_KEY})
    run_program(mocks, "example", config, secret_keys=["aws:profile"])
    inputs = mocks.one("pulumi:providers:aws", "aws").inputs
    assert json.loads(inputs["endpoints"]) == [{"secretsmanager": "http://127.0.0.1:5000"}]
    assert inputs["skipCredentialsValidation"] == "true"
    assert inputs["profile"]["value"] == "fake-but-secret"
