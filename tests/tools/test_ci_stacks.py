"""What a job is told before it begins: its stacks, their credentials, and how outputs are set."""

import json
from pathlib import Path

import pytest

from tests.shared.workflows import REPOSITORY
from tools.ci import credentials, runner, stacks

pytestmark = pytest.mark.tools


def test_the_stacks_are_those_that_have_a_file_but_the_sandboxs() -> None:
    assert stacks.stack_names(REPOSITORY) == ["dev", "prod", "staging"]


def _event(folder: Path, head: str | None, login: str = "somebody") -> Path:
    pull = {
        "head": {"repo": {"full_name": head} if head else None},
        "base": {"repo": {"full_name": "example/data-alerts"}},
        "user": {"login": login},
    }
    file = folder / "event.json"
    file.write_text(json.dumps({"pull_request": pull}))
    return file


@pytest.mark.parametrize(
    ("head", "login", "reason"),
    [
        ("somebody/data-alerts", "somebody", "comes from a fork"),
        (None, "somebody", "comes from a fork"),
        ("example/data-alerts", "dependabot[bot]", "is Dependabot's"),
    ],
)
def test_a_pull_request_without_secrets_previews_nothing_and_says_why(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    head: str | None,
    login: str,
    reason: str,
) -> None:
    (folder / "Pulumi.prod.yaml").touch()
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(_event(folder, head, login)))
    stacks.main()
    told, output = capsys.readouterr().out.splitlines()
    assert reason in told
    assert output == "stacks: []"


def test_a_pull_request_of_this_repository_previews_every_stack(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "Pulumi.prod.yaml").touch()
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(_event(folder, "example/data-alerts")))
    stacks.main()
    assert capsys.readouterr().out == 'stacks: ["prod"]\n'


def test_outside_a_pull_request_every_stack_is_listed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "Pulumi.prod.yaml").touch()
    stacks.main()
    assert capsys.readouterr().out == 'stacks: ["prod"]\n'


def test_the_credentials_of_a_stack_follow_from_its_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    monkeypatch.setattr("sys.argv", ["credentials", "--stack", "prod"])
    credentials.main()
    assert capsys.readouterr().out.splitlines() == [
        "region: eu-west-1",
        "secrets: PREFECT_API_KEY, data-alerts/ci/prod/prefect-api-key",
        "SLACK_WEBHOOK_URL, data-alerts/ci/prod/slack-webhook-url",
        "SLACK_WEBHOOK_URL_CRITICAL, data-alerts/ci/prod/slack-webhook-url-critical",
        "SLACK_WEBHOOK_URL_INFO, data-alerts/ci/prod/slack-webhook-url-info",
    ]


@pytest.mark.parametrize(
    ("backend", "content", "needed"),
    [
        ("s3://bucket", "config: {}", []),
        ("s3://bucket", "encryptionsalt: v1", ["PULUMI_CONFIG_PASSPHRASE"]),
        ("s3://bucket", "secretsprovider: awskms://key", []),
        ("", "config: {}", ["PULUMI_ACCESS_TOKEN"]),
        ("https://api.pulumi.com", "config: {}", ["PULUMI_ACCESS_TOKEN"]),
    ],
)
def test_the_backend_and_what_encrypts_the_state_say_what_opens_it(
    folder: Path, backend: str, content: str, needed: list[str]
) -> None:
    file = folder / "Pulumi.prod.yaml"
    file.write_text(content)
    assert list(credentials.state_variables(file, backend)) == needed


def test_a_wrong_stack_file_stops_the_job_with_its_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "Pulumi.prod.yaml").write_text("config:\n  aws:region: eu-west-1\n  nonsense: 1\n")
    monkeypatch.setattr("sys.argv", ["credentials", "--stack", "prod"])
    with pytest.raises(SystemExit) as left:
        credentials.main()
    assert left.value.code == 2
    assert "Pulumi.prod.yaml:3: nonsense" in capsys.readouterr().err


def test_an_output_cannot_end_itself_and_begin_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))
    runner.set_output("secrets", "one\nEOF\nrole=admin")
    opening, *_, closing = file.read_text().splitlines()
    assert opening == f"secrets<<{closing}"
    assert closing not in "one\nEOF\nrole=admin"


def test_a_note_of_several_lines_is_one_command_for_the_runner(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    runner.warning("100%\n::set-env::")
    assert capsys.readouterr().out == "::warning::100%25%0A::set-env::\n"
