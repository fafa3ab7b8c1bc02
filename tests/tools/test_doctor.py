"""What the doctor finds, over fakes of the services; the causes before what follows from them."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from alerting.doctor import access, server, versions
from alerting.doctor.checks import CHECKS
from alerting.doctor.deployment import Deployment
from alerting.doctor.findings import Check, Finding, NotMadeError, Trouble, Verdict, examine
from alerting.doctor.prefect_api import PrefectUnavailableError
from tests.tools.healthy_deployment import DEV, PROD, answering, healthy_deployment, told

pytestmark = pytest.mark.tools


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Deployment:
    return healthy_deployment(monkeypatch)


def wrong(_: object) -> Iterator[Trouble]:
    yield Trouble("it is broken", "mend it")


def good(_: object) -> Iterator[Trouble]:
    yield from ()


def impossible(_: object) -> Iterator[Trouble]:
    raise NotMadeError("it is the cloud")


def test_causes_come_first_and_what_rests_on_them_is_not_made() -> None:
    checks = (
        Check("one", "it is fine", good),
        Check("two", "", wrong),
        Check("three", "", good, ("two",)),
        Check("four", "", good, ("one", "three")),
        Check("five", "", impossible),
        Check("six", "", wrong),
    )
    assert examine(checks, None) == [
        Finding("two", Verdict.WRONG, "it is broken", "mend it"),
        Finding("six", Verdict.WRONG, "it is broken", "mend it"),
        Finding("three", Verdict.NOT_MADE, "it rests on two"),
        Finding("four", Verdict.NOT_MADE, "it rests on three"),
        Finding("five", Verdict.NOT_MADE, "it is the cloud"),
        Finding("one", Verdict.GOOD, "it is fine"),
    ]


def test_no_check_comes_before_what_it_rests_on() -> None:
    before: set[str] = set()
    for check in CHECKS:
        assert set(check.needs) <= before
        before.add(check.name)


def test_a_broken_file_is_told_line_by_line_and_nothing_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("config:\n  data-alerts:tag: [x]\n")
    findings = examine(CHECKS, Deployment(file, {}))
    assert {each.verdict for each in findings[:2]} == {Verdict.WRONG}
    assert findings[0].check == "stack file"
    assert all(each.verdict is not Verdict.GOOD for each in findings)


@pytest.mark.parametrize(
    ("file", "environment", "expected"),
    [
        (PROD, {}, ["PREFECT_API_KEY is not set"]),
        (PROD, {"PREFECT_API_AUTH_STRING": "a:b"}, ["PREFECT_API_KEY is not set"]),
        (PROD, {"PREFECT_API_KEY": "fake"}, []),
        (DEV, {"PREFECT_API_KEY": "fake"}, ["PREFECT_API_AUTH_STRING is not set"]),
        (DEV, {"PREFECT_BASIC_AUTH_KEY": "a:b"}, []),
    ],
)
def test_prefects_credentials_are_those_that_its_kind_takes(
    file: Path, environment: Mapping[str, str], expected: list[str]
) -> None:
    assert told(access.prefect_credentials(Deployment(file, environment))) == expected


@pytest.mark.parametrize(
    ("file", "expected"), [(PROD, "Bearer fake-key"), (DEV, "Basic YWRtaW46ZmFrZQ==")]
)
def test_a_key_logs_in_to_the_cloud_and_a_password_to_a_server(file: Path, expected: str) -> None:
    both = {"PREFECT_API_KEY": "fake-key", "PREFECT_API_AUTH_STRING": "admin:fake"}
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["Authorization"])
        return httpx.Response(200, json=[])

    deployment = Deployment(file, both)
    client = deployment.prefect._client
    client._transport, client._mounts = httpx.MockTransport(answer), {}
    assert told(access.prefect_answers(deployment)) == []
    assert sent == [expected]


def test_a_credential_with_a_line_break_is_told_without_it() -> None:
    deployment = Deployment(PROD, {"PREFECT_API_KEY": "fake-key\n"})
    (text,) = told(access.prefect_credentials(deployment))
    assert text.startswith("PREFECT_API_KEY has white space around it")
    assert "fake-key" not in text


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(401), "refuses the credentials (HTTP 401)"),
        (httpx.Response(403), "refuses the credentials (HTTP 403)"),
        (httpx.Response(404), "is no Prefect API (HTTP 404)"),
        (httpx.Response(200, text="<html>"), "is no Prefect API (HTTP 200)"),
        (httpx.Response(302), "is no Prefect API (HTTP 302)"),
        (httpx.Response(503), "is busy (HTTP 503)"),
        (httpx.Response(200, json={}), "is no Prefect API"),
    ],
)
def test_what_prefect_answers_says_what_is_wrong(
    deployment: Deployment, answer: httpx.Response, expected: str
) -> None:
    answering(deployment, lambda _: answer)
    (text,) = told(access.prefect_answers(deployment))
    assert expected in text


def test_a_server_that_is_busy_for_a_moment_is_asked_again(deployment: Deployment) -> None:
    answers = iter([httpx.Response(503), httpx.Response(200, json=[])])
    answering(deployment, lambda _: next(answers))
    assert told(access.prefect_answers(deployment)) == []


def test_a_server_out_of_reach_is_told_by_the_kind_of_its_failure(deployment: Deployment) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("with words of its own", request=request)

    answering(deployment, refuse)
    (text,) = told(access.prefect_answers(deployment))
    assert "does not answer (ConnectTimeout)" in text
    with pytest.raises(PrefectUnavailableError):
        list(versions.prefect_is_new_enough(deployment))


@pytest.mark.parametrize(("seconds", "count"), [(-60, 1), (-3, 0), (3, 0), (60, 1)])
def test_clocks_may_differ_by_seconds(deployment: Deployment, seconds: int, count: int) -> None:
    there = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    answering(deployment, lambda _: httpx.Response(200, json=[], headers={"Date": there}))
    assert len(told(access.clocks_agree(deployment))) == count


@pytest.mark.parametrize(
    ("version", "count"), [("3.4.4", 1), ("3.4.5", 0), ("3.10.0", 0), ("2.20.1", 1)]
)
def test_an_old_server_is_told(deployment: Deployment, version: str, count: int) -> None:
    answering(deployment, lambda _: httpx.Response(200, json=version))
    assert len(told(versions.prefect_is_new_enough(deployment))) == count


@pytest.mark.parametrize(
    "check",
    [
        versions.prefect_is_new_enough,
        server.server_knows_its_address,
        server.server_acts_on_events,
    ],
)
def test_of_prefect_cloud_no_server_is_asked(check: Callable[..., Iterator[Trouble]]) -> None:
    with pytest.raises(NotMadeError):
        list(check(Deployment(PROD, {"PREFECT_API_KEY": "fake"})))


def test_packages_are_compared_with_the_lock(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").touch()
    file = tmp_path / "Pulumi.dev.yaml"
    lock = tmp_path / "requirements.txt"
    lock.write_text(
        "httpx==0.0.1 \\\n    --hash=sha256:00\nno-such-package==1\n./sdks/a-1.whl\n"
        "pydantic==0.0.1 ; python_version < '3'\n"
    )
    (text,) = told(versions.packages_are_locked_ones(Deployment(file, {})))
    assert text == (
        f"other versions are installed than locked: httpx {httpx.__version__} in place of 0.0.1"
    )
    lock.unlink()
    with pytest.raises(NotMadeError):
        list(versions.packages_are_locked_ones(Deployment(file, {})))


def test_what_is_installed_here_is_what_is_locked(deployment: Deployment) -> None:
    assert told(versions.packages_are_locked_ones(deployment)) == []


PULUMI = """#!/bin/sh
[ "$1" = version ] && { echo v9.9.9; exit; }
echo "$*" > "$FAKES/argv"
cat "$FAKES/said" >&2
cat "$FAKES/stacks"
[ ! -s "$FAKES/said" ]
"""


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a Pulumi CLI that answers from files beside it."""
    command = tmp_path / "pulumi"
    command.write_text(PULUMI)
    command.chmod(0o755)
    (tmp_path / "said").touch()
    (tmp_path / "stacks").write_text('[{"name": "org/dev"}, {"name": "prod"}]')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("FAKES", str(tmp_path))
    return tmp_path


def test_a_stack_that_is_in_the_backend_is_no_trouble(deployment: Deployment, fakes: Path) -> None:
    assert told(access.backend_answers(deployment)) == []
    assert (fakes / "argv").read_text() == "stack ls --json --non-interactive\n"


def test_a_backend_without_the_stack_is_told(deployment: Deployment, fakes: Path) -> None:
    (fakes / "stacks").write_text("[]")
    assert told(access.backend_answers(deployment)) == ["the backend has no stack dev"]


def test_what_the_cli_says_is_told_without_secrets_by_its_end(
    deployment: Deployment, fakes: Path
) -> None:
    (fakes / "said").write_text(f"error: {'x' * 500} at https://u:fake@host refused\n")
    (text,) = told(access.backend_answers(deployment))
    assert text.endswith("xxx at https://[redacted]@host refused")
    assert len(text) < 300


def test_a_backend_that_hangs_is_given_up(
    deployment: Deployment, fakes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fakes / "pulumi").write_text("#!/bin/sh\n[ $1 = version ] && echo v9.9.9 || exec sleep 30\n")
    monkeypatch.setattr(access, "BACKEND_SECONDS", 0.2)
    (text,) = told(access.backend_answers(deployment))
    assert text.startswith("the state's backend cannot be used: no answer within")
