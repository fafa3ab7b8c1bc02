"""Which secrets in AWS the Pulumi program makes, fills, adopts and reads."""

import pytest

from tests.shared.example_stack import FEW_RULES, raw_settings
from tests.shared.recording_mocks import (
    BLOCK,
    FAKE_ROUTING_KEY,
    FAKE_WEBHOOK,
    GET_SECRET_VERSION,
    GET_SECRETS,
    SECRET,
    SECRET_VERSION,
    RecordingMocks,
    arn_of,
    config_of,
    run_program,
    secret_of,
)

pytestmark = pytest.mark.unit

NAME = "prefect/pagerduty-key"
CONFIG = config_of(**FEW_RULES)


@pytest.fixture(autouse=True)
def webhooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_URL", FAKE_WEBHOOK)
    monkeypatch.setenv("SLACK_URL_CRITICAL", FAKE_WEBHOOK)


def test_a_secret_that_is_filled_out_of_band_is_adopted_when_it_exists() -> None:
    mocks = run_program(RecordingMocks(in_aws={NAME: FAKE_ROUTING_KEY}), "example", CONFIG)
    assert mocks.one(SECRET, "pagerduty-key").import_id == arn_of(NAME)


def test_a_secret_that_is_filled_out_of_band_is_made_when_it_does_not_exist() -> None:
    mocks = RecordingMocks(in_aws={NAME: FAKE_ROUTING_KEY}, not_listed=[NAME])
    run_program(mocks, "example", CONFIG)
    assert mocks.one(SECRET, "pagerduty-key").import_id == ""


def test_a_secret_whose_name_only_starts_the_same_is_not_adopted() -> None:
    others = (f"{NAME}-old", f"{NAME}-abcdef", f"{NAME}/eu", f"{NAME}s")
    in_aws = {**dict.fromkeys(others, "another value"), NAME: FAKE_ROUTING_KEY}
    both = run_program(RecordingMocks(in_aws), "example", CONFIG)
    assert both.one(SECRET, "pagerduty-key").import_id == arn_of(NAME)
    alone = run_program(RecordingMocks(in_aws, not_listed=[NAME]), "example", CONFIG)
    assert alone.one(SECRET, "pagerduty-key").import_id == ""


def test_a_value_that_was_put_there_out_of_band_is_read_and_not_written() -> None:
    mocks = run_program(RecordingMocks(in_aws={NAME: FAKE_ROUTING_KEY}), "example", CONFIG)
    assert {version.name for version in mocks.of(SECRET_VERSION)} == {
        "slack-url",
        "slack-url-critical",
    }
    assert FAKE_ROUTING_KEY in str(secret_of(mocks.one(BLOCK, "on-call").inputs["data"]))


def test_all_secrets_are_looked_for_at_once() -> None:
    mocks = run_program(RecordingMocks(in_aws={NAME: FAKE_ROUTING_KEY}), "example", CONFIG)
    names = sorted(secret["name"] for secret in raw_settings()["secrets"].values())
    assert [(token, arguments) for token, arguments, _ in mocks.calls] == [
        (GET_SECRETS, {"filters": [{"name": "name", "values": names}]}),
        (GET_SECRET_VERSION, {"secretId": arn_of(NAME)}),
    ]
    assert {secret.import_id for secret in mocks.of(SECRET) if secret.name != "pagerduty-key"} == {
        ""
    }
