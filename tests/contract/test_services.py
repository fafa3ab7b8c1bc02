"""A sandbox's real processes: how they start, fail, are found and end."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import httpx
import pytest

from sandbox import services
from sandbox.capture.channels import register_channels
from sandbox.capture.messages import read_messages
from sandbox.environment import base_environment
from sandbox.lifecycle import MARKER, bring_up, take_down
from sandbox.ports import free_port
from sandbox.processes import MARK, contained, end_processes, processes_of, start_service
from sandbox.state import SandboxError, SandboxState

pytestmark = pytest.mark.contract

WEBHOOK = "https://hooks.slack.com/services/T0FAKE/B0FAKE/fakefakefakefakefakefake"
SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
IGNORE_SIGTERM = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(600)
"""
BRING_UP = """
import pathlib, sys
from sandbox.lifecycle import bring_up
bring_up(pathlib.Path(sys.argv[1]))
"""
END_FROM_A_CHILD = """
import os, pathlib, sys
from sandbox.processes import end_processes
if child := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
end_processes(pathlib.Path(sys.argv[1]))
print("survived", flush=True)
"""


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    with contained(folder):
        yield folder


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxState]:
    folder = tmp_path_factory.mktemp("sandbox")
    with contained(folder):
        yield bring_up(folder)


def test_a_saved_state_is_loaded_as_it_was(tmp_path: Path) -> None:
    state = SandboxState(
        folder=tmp_path,
        prefect_api_url="http://127.0.0.1:1/api",
        prefect_ui_url="http://127.0.0.1:1",
        moto_url="http://127.0.0.1:2",
        proxy_url="http://127.0.0.1:3",
        ca_file=tmp_path / "ca.pem",
        page_url="http://127.0.0.1:4",
    )
    state.save()
    assert SandboxState.load(tmp_path) == state


@pytest.mark.parametrize("content", [None, "", "{}", '{"folder": 5}'])
def test_where_no_sandbox_is_up_one_message_says_so(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "sandbox.json").write_text(content)
    with pytest.raises(SandboxError) as error:
        SandboxState.load(tmp_path)
    assert str(error.value) == f"no sandbox is up in {tmp_path}: run `make sandbox`"


def test_every_part_of_a_sandbox_answers(sandbox: SandboxState) -> None:
    assert SandboxState.load(sandbox.folder) == sandbox
    assert httpx.get(f"{sandbox.prefect_api_url}/health", trust_env=False).json() is True
    ui_settings = httpx.get(f"{sandbox.prefect_ui_url}/ui-settings", trust_env=False).json()
    assert ui_settings["api_url"] == sandbox.prefect_api_url
    page = httpx.get(sandbox.page_url, trust_env=False).text
    assert f'href="{sandbox.prefect_ui_url}"' in page
    client = boto3.client(
        "secretsmanager",
        endpoint_url=sandbox.moto_url,
        region_name="us-east-1",
        aws_access_key_id="fake",
        aws_secret_access_key="fake",
    )
    client.create_secret(Name="fake", SecretString="obviously fake")
    assert client.get_secret_value(SecretId="fake")["SecretString"] == "obviously fake"


def test_what_the_server_sends_is_captured_with_working_links(sandbox: SandboxState) -> None:
    register_channels(sandbox.folder, {WEBHOOK: "#alerts"})
    event_name = f"test.{uuid4()}"
    with httpx.Client(base_url=sandbox.prefect_api_url, trust_env=False, timeout=30) as api:
        block_id = create_slack_block(api, WEBHOOK)
        automation = {
            "name": event_name,
            "trigger": {
                "type": "event",
                "expect": [event_name],
                "posture": "Reactive",
                "threshold": 1,
                "within": 0,
            },
            "actions": [
                {
                    "type": "send-notification",
                    "block_document_id": block_id,
                    "subject": "it happened",
                    "body": "{{ automation | ui_url }}",
                }
            ],
        }
        created = api.post("/automations/", json=automation).raise_for_status().json()

        def captured() -> bool:
            # Sent again each time: the server may not have loaded the automation yet.
            event = {
                "id": str(uuid4()),
                "event": event_name,
                "occurred": "2026-01-01T00:00:00Z",
                "resource": {"prefect.resource.id": event_name},
            }
            api.post("/events", json=[event]).raise_for_status()
            return bool(read_messages(sandbox.folder))

        wait_for(captured)
    message = read_messages(sandbox.folder)[0]
    assert (message.channel, message.status_code, message.title) == ("#alerts", 200, "it happened")
    assert message.text == f"{sandbox.prefect_ui_url}/automations/automation/{created['id']}"


def create_slack_block(api: httpx.Client, webhook: str) -> str:
    block_type = api.get("/block_types/slug/slack-webhook").raise_for_status().json()
    schemas = api.post(
        "/block_schemas/filter",
        json={"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}},
    ).raise_for_status()
    block = {
        "name": f"test-{uuid4()}",
        "block_type_id": block_type["id"],
        "block_schema_id": schemas.json()[0]["id"],
        "data": {"url": webhook},
    }
    block_id: str = api.post("/block_documents/", json=block).raise_for_status().json()["id"]
    return block_id


def test_a_sandbox_whose_owner_was_killed_is_replaced_by_the_next_start_beside_another(
    folder: Path, sandbox: SandboxState
) -> None:
    command = [sys.executable, "-c", BRING_UP, str(folder)]
    with subprocess.Popen(command, cwd=services.REPOSITORY) as owner:
        wait_for((folder / "logs" / "prefect-server.log").exists)
        owner.kill()
    orphans = processes_of(folder)
    others = processes_of(sandbox.folder)
    assert len(orphans) >= 3

    state = bring_up(folder)

    assert not orphans & processes_of(folder)
    assert httpx.get(f"{state.prefect_api_url}/health", trust_env=False).json() is True
    assert processes_of(sandbox.folder) == others
    assert httpx.get(f"{sandbox.prefect_api_url}/health", trust_env=False).json() is True
    take_down(folder)
    assert not processes_of(folder)
    assert list(folder.iterdir()) == []
    assert processes_of(sandbox.folder) == others


def test_a_folder_with_other_files_is_left_alone(folder: Path) -> None:
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(SandboxError, match="holds other files: name a new or empty folder"):
        bring_up(folder)
    assert [entry.name for entry in folder.iterdir()] == ["thesis.txt"]


def test_taking_down_what_was_never_up_is_no_error(tmp_path: Path) -> None:
    take_down(tmp_path / "missing")
    (tmp_path / MARKER).touch()
    take_down(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_start_that_fails_leaves_no_process(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise SandboxError("prefect-server ended while starting")

    monkeypatch.setattr("sandbox.lifecycle.start_prefect_server", fail)
    with pytest.raises(SandboxError, match="prefect-server ended"):
        bring_up(folder)
    assert not processes_of(folder)
    assert not (folder / "sandbox.json").exists()


def test_a_service_that_ends_early_is_reported_with_its_last_words(folder: Path) -> None:
    command = [sys.executable, "-c", "print('cannot read the frob'); raise SystemExit(3)"]
    service = start_service("frob", command, folder, base_environment())
    with pytest.raises(SandboxError) as error:
        services.wait_until(service, lambda: False, 30)
    assert str(error.value) == "frob ended while starting:\ncannot read the frob"


def test_a_service_that_never_answers_is_reported_with_its_last_words(folder: Path) -> None:
    service = start_service("frob", SLEEP, folder, base_environment())
    wait_for(service.log_tail)
    with pytest.raises(SandboxError) as error:
        services.wait_until(service, lambda: False, 0.2)
    assert str(error.value) == "frob is not up after 0 s:\nup"


@pytest.fixture
def taken_port() -> Iterator[int]:
    # Bound without listening: whoever probes it is turned away at once.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_port_taken_in_between_is_changed_for_another(
    folder: Path, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = iter([taken_port, free_port()])
    monkeypatch.setattr(services, "free_port", lambda: next(ports))
    url = services.start_moto(folder)
    assert url != f"http://127.0.0.1:{taken_port}"
    assert httpx.get(f"{url}/moto-api/data.json", trust_env=False).is_success


def test_a_prefect_server_that_finds_no_free_port_says_so(
    folder: Path, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "free_port", lambda: taken_port)
    with pytest.raises(SandboxError, match=f"Port {taken_port} is already in use"):
        services.start_prefect_server(folder, {})


def test_a_process_is_found_by_its_sandbox_and_so_are_its_children(
    folder: Path, tmp_path: Path
) -> None:
    parent = f"import subprocess; subprocess.run({SLEEP!r})"
    start_service("parent", [sys.executable, "-c", parent], folder, base_environment())
    wait_for(lambda: len(processes_of(folder)) == 2)
    assert not processes_of(tmp_path)
    end_processes(folder)
    assert not processes_of(folder)


def test_a_process_that_ignores_the_request_to_end_is_killed(folder: Path) -> None:
    command = [sys.executable, "-c", IGNORE_SIGTERM]
    service = start_service("stubborn", command, folder, base_environment())
    wait_for(service.log_tail)
    end_processes(folder)
    assert service.process.wait(timeout=5) == -signal.SIGKILL


def test_a_caller_inside_the_sandbox_ends_neither_itself_nor_its_parents(folder: Path) -> None:
    service = start_service(
        "outer",
        [sys.executable, "-c", END_FROM_A_CHILD, str(folder)],
        folder,
        {**base_environment(), "PYTHONPATH": str(services.REPOSITORY)},
    )
    assert service.process.wait(timeout=30) == 0
    assert service.log_tail() == "survived"


def test_a_service_sees_nothing_of_the_developers_own_prefect_aws_or_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PREFECT_API_KEY", "AWS_PROFILE", "https_proxy", "PULUMI_ACCESS_TOKEN", MARK):
        monkeypatch.setenv(name, "theirs")
    monkeypatch.setenv("LANG", "C.UTF-8")
    environment = base_environment()
    # Names only: the values of a real environment do not belong into a test's output.
    assert [name for name, value in environment.items() if value == "theirs"] == []
    assert {"LANG", "PATH"} <= environment.keys()
