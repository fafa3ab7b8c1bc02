"""Ways in which a stack breaks, each of which is mended again."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx

from alerting.plan.ownership import marked
from sandbox.wire import wire_to
from tests.e2e.doctors_team import LOGIN, Team
from tests.e2e.in_services import automations, aws, blocks, prefect

WARNING = "DLT Pipeline Failure Alert"
PAGERDUTY = "prefect/pagerduty-integration-key"
OTHER_WEBHOOK = "https://hooks.slack.com/services/T00000000/B00000000/ANOTHERFAKEFORTHETEST"
NOWHERE = "http://127.0.0.1:1"
Break = Callable[["Team"], AbstractContextManager[object]]


def set_key(team: Team, key: str, value: object) -> AbstractContextManager[None]:
    return team.configured(lambda config: config.update({key: value}))


def at_endpoint(team: Team, url: str, **more: object) -> AbstractContextManager[None]:
    # Links go on to lead to the server, or the settings would differ from the deployed ones.
    place = {"endpoint": f"{url}/api", "uiUrl": team.state.prefect_ui_url}
    return set_key(team, "data-alerts:prefect", {**place, **more})


@contextmanager
def through_wire(team: Team, path: str, change: Callable[[httpx.Response], Any]) -> Iterator[None]:
    """Answers of the server to a path changed, twice."""
    method, _, place = path.partition(" ")
    with wire_to(team.state.prefect_ui_url) as wire, at_endpoint(team, wire.url):
        body = {"limit": 1} if method == "POST" else None
        real = httpx.request(
            method, team.state.prefect_ui_url + place, json=body, trust_env=False
        ).raise_for_status()
        wire.fail(path, *[change(real)] * 2)
        yield


def broken_file(team: Team) -> AbstractContextManager[None]:
    return team.configured(lambda config: config["data-alerts:channels"].pop("on-call"))


def no_credentials(team: Team) -> AbstractContextManager[None]:
    return at_endpoint(team, team.password_server, basicAuthKey={"from": "env"})


@contextmanager
def wrong_password(team: Team) -> Iterator[None]:
    with (
        at_endpoint(team, team.password_server, basicAuthKey={"from": "env"}),
        team.environment(PREFECT_API_AUTH_STRING="admin:wrong"),
    ):
        yield


def undeclared_password(team: Team) -> AbstractContextManager[None]:
    return at_endpoint(team, team.password_server)


@contextmanager
def unset_ui_url(team: Team) -> Iterator[None]:
    with (
        at_endpoint(team, team.password_server, basicAuthKey={"from": "env"}),
        team.environment(PREFECT_API_AUTH_STRING=LOGIN),
    ):
        yield


def prefect_down(team: Team) -> AbstractContextManager[None]:
    return at_endpoint(team, NOWHERE)


def wrong_path(team: Team) -> AbstractContextManager[None]:
    return at_endpoint(team, f"{team.state.prefect_ui_url}/elsewhere")


def old_server(team: Team) -> AbstractContextManager[None]:
    return through_wire(team, "GET /api/admin/version", lambda _: httpx.Response(200, json="3.4.4"))


def skewed_clock(team: Team) -> AbstractContextManager[None]:
    late = {"Date": format_datetime(datetime.now(UTC) + timedelta(minutes=7), usegmt=True)}
    return through_wire(
        team,
        "POST /api/automations/filter",
        lambda real: httpx.Response(200, json=real.json(), headers=late),
    )


def short_buffer(team: Team) -> AbstractContextManager[None]:
    def change(real: httpx.Response) -> httpx.Response:
        settings = real.json()
        assert settings["server"]["events"]["expired_bucket_buffer"] == "PT1H"
        settings["server"]["events"]["expired_bucket_buffer"] = "PT1M"
        return httpx.Response(200, json=settings)

    return through_wire(team, "GET /api/admin/settings", change)


def triggers_off(team: Team) -> AbstractContextManager[None]:
    def change(real: httpx.Response) -> httpx.Response:
        settings = real.json()
        assert settings["server"]["services"]["triggers"]["enabled"]
        settings["server"]["services"]["triggers"]["enabled"] = False
        return httpx.Response(200, json=settings)

    return through_wire(team, "GET /api/admin/settings", change)


def no_aws_credentials(team: Team) -> AbstractContextManager[None]:
    def remove(config: dict[str, Any]) -> None:
        del config["aws:accessKey"], config["aws:secretKey"]

    return team.configured(remove)


def aws_down(team: Team) -> AbstractContextManager[None]:
    return set_key(team, "aws:endpoints", [{"secretsmanager": NOWHERE}])


def backend_down(team: Team) -> AbstractContextManager[None]:
    return team.environment(
        PULUMI_BACKEND_URL=f"s3://state?endpoint={NOWHERE}&s3ForcePathStyle=true&region=eu-west-1",
        AWS_ACCESS_KEY_ID="fake",
        AWS_SECRET_ACCESS_KEY="fake",
    )


@contextmanager
def other_backend(team: Team) -> Iterator[None]:
    empty = team.state.folder / "empty-state"
    empty.mkdir()
    with team.environment(PULUMI_BACKEND_URL=f"file://{empty}"):
        yield
    shutil.rmtree(empty)


@contextmanager
def other_packages(team: Team) -> Iterator[None]:
    lock = team.file.with_name("requirements.txt")
    lock.write_text("prefect==0.0.1 \\\n    --hash=sha256:00\n")
    yield
    lock.unlink()


@contextmanager
def secret_missing(team: Team) -> Iterator[None]:
    aws(team.state).delete_secret(SecretId=PAGERDUTY, ForceDeleteWithoutRecovery=True)
    yield
    team.live.stack.put_secret(PAGERDUTY, team.live.stack.secrets["pagerduty-integration-key"])


@contextmanager
def secret_empty(team: Team) -> Iterator[None]:
    with secret_missing(team):
        aws(team.state).create_secret(Name=PAGERDUTY)
        yield


@contextmanager
def secret_blank(team: Team) -> Iterator[None]:
    aws(team.state).put_secret_value(SecretId=PAGERDUTY, SecretString=" ")
    yield
    team.live.stack.put_secret(PAGERDUTY, team.live.stack.secrets["pagerduty-integration-key"])


@contextmanager
def secret_scheduled(team: Team) -> Iterator[None]:
    aws(team.state).delete_secret(SecretId=PAGERDUTY, RecoveryWindowInDays=30)
    yield
    aws(team.state).restore_secret(SecretId=PAGERDUTY)


@contextmanager
def block_missing(team: Team) -> Iterator[None]:
    prefect(
        team.state, "DELETE", f"/block_documents/{blocks(team.state)['slack-webhook/alerts']['id']}"
    )
    yield
    team.follow_remedy()


@contextmanager
def block_of_other_type(team: Team) -> Iterator[None]:
    with block_missing(team):
        kind = prefect(team.state, "GET", "/block_types/slug/custom-webhook")
        schemas = prefect(
            team.state,
            "POST",
            "/block_schemas/filter",
            {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}},
        )
        document = {
            "name": "alerts",
            "data": {"name": "alerts", "url": "https://example.com"},
            "block_type_id": kind["id"],
            "block_schema_id": schemas[0]["id"],
        }
        made = prefect(team.state, "POST", "/block_documents/", document)
        yield
        prefect(team.state, "DELETE", f"/block_documents/{made['id']}")


@contextmanager
def block_of_other_value(team: Team) -> Iterator[None]:
    block = blocks(team.state)["slack-webhook/alerts"]
    path = f"/block_documents/{block['id']}"
    prefect(team.state, "PATCH", path, {"data": {**block["data"], "url": OTHER_WEBHOOK}})
    yield
    prefect(team.state, "PATCH", path, {"data": block["data"]})


def warning_of(team: Team) -> dict[str, Any]:
    return next(each for each in automations(team.state) if each["name"] == WARNING)


@contextmanager
def automation_deleted(team: Team) -> Iterator[None]:
    prefect(team.state, "DELETE", f"/automations/{warning_of(team)['id']}")
    yield
    team.follow_remedy()


@contextmanager
def automation_disabled(team: Team) -> Iterator[None]:
    path = f"/automations/{warning_of(team)['id']}"
    prefect(team.state, "PATCH", path, {"enabled": False})
    yield
    prefect(team.state, "PATCH", path, {"enabled": True})


@contextmanager
def automation_edited(team: Team) -> Iterator[None]:
    before = warning_of(team)
    path = f"/automations/{before['id']}"
    actions = [{**before["actions"][0], "subject": "edited"}, *before["actions"][1:]]
    prefect(team.state, "PUT", path, {**written(before), "actions": actions})
    yield
    prefect(team.state, "PUT", path, written(before))


@contextmanager
def automation_doubled(team: Team) -> Iterator[None]:
    made = prefect(team.state, "POST", "/automations/", written(warning_of(team)))
    yield
    prefect(team.state, "DELETE", f"/automations/{made['id']}")


@contextmanager
def automation_left_behind(team: Team) -> Iterator[None]:
    old = {"name": "DLT Old Rule", "description": marked("", "sandbox")}
    made = prefect(team.state, "POST", "/automations/", {**written(warning_of(team)), **old})
    yield
    prefect(team.state, "DELETE", f"/automations/{made['id']}")


@contextmanager
def sentinel_silent(team: Team) -> Iterator[None]:
    team.live.kill_sentinel()
    team.wait_until_first("sentinel", "wrong")
    yield
    team.live.start_sentinel()
    team.wait_until_first("packages", "not made")


def written(automation: Mapping[str, Any]) -> dict[str, Any]:
    """An automation as it is written."""
    keys = ("name", "description", "enabled", "trigger", "actions")
    return {key: automation[key] for key in keys}


BROKEN: tuple[tuple[Break, str, str], ...] = (
    (broken_file, "stack file", "names a channel that data-alerts:channels does not declare"),
    (no_credentials, "Prefect credentials", "PREFECT_API_AUTH_STRING is not set"),
    (wrong_password, "Prefect", "refuses the credentials (HTTP 401)"),
    (undeclared_password, "Prefect", "refuses the credentials (HTTP 401)"),
    (prefect_down, "Prefect", "does not answer (ConnectError)"),
    (wrong_path, "Prefect", "is no Prefect API"),
    (skewed_clock, "clocks", "ahead of this machine's"),
    (no_aws_credentials, "AWS", "there are no AWS credentials"),
    (aws_down, "AWS", "Secrets Manager does not answer"),
    (backend_down, "backend", "connection refused"),
    (other_backend, "backend", "the backend has no stack sandbox"),
    (old_server, "Prefect's version", "Prefect 3.4.4 is too old"),
    (other_packages, "packages", "in place of 0.0.1"),
    (secret_missing, "secrets", f"{PAGERDUTY} is missing"),
    (secret_empty, "secrets", f"{PAGERDUTY} is empty"),
    (secret_blank, "secrets", f"{PAGERDUTY} is blank"),
    (secret_scheduled, "secrets", f"{PAGERDUTY} is scheduled for deletion on"),
    (block_missing, "blocks", "slack-webhook/alerts is missing"),
    (block_of_other_type, "blocks", "there is custom-webhook/alerts in its place"),
    (block_of_other_value, "blocks' secrets", "slack-webhook/alerts holds another value"),
    (automation_deleted, "automations", f"missing: '{WARNING}'"),
    (automation_disabled, "automations", f"switched off: '{WARNING}'"),
    (automation_edited, "automations", f"'{WARNING}' differs in actions[0].subject"),
    (automation_doubled, "automations", f"2 automations are named '{WARNING}'"),
    (automation_left_behind, "automations", "carries the stack's mark and is planned no more"),
    (sentinel_silent, "sentinel", "the sentinel was last heard of at"),
    (unset_ui_url, "PREFECT_UI_URL", "is not set for the server"),
    (short_buffer, "server settings", "longer than 1m is lost"),
    (triggers_off, "server settings", "no automation acts"),
)
