"""The stand-ins as the engine starts them: executables on PATH that print a port."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import pulumi_prefect as prefect
import pytest
from pulumi import automation

from sandbox.environment import base_environment
from tests.contract.deployed import STAND_INS, deployed_in
from tests.contract.replay import Engine

pytestmark = pytest.mark.contract

NAMES = ["pulumi-resource-aws", "pulumi-resource-terraform-provider"]
VERSIONS = dict(zip(NAMES, ["7.51.1", "1.1.3"], strict=True))
# A parent that starts the plugin, tells its process id and port, and stays.
PARENT = """
import subprocess, sys, time
plugin = subprocess.Popen(sys.argv[1], stdout=subprocess.PIPE, text=True)
print(plugin.pid, plugin.stdout.readline(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**base_environment(), **deployed_in(tmp_path).environment}


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("name", NAMES)
def test_a_stand_in_serves_at_the_port_it_prints_and_ends_with_the_engine(
    name: str, environment: dict[str, str]
) -> None:
    command = [sys.executable, "-c", PARENT, str(STAND_INS / name)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        pid, port = map(int, parent.stdout.readline().split())
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                engine = Engine(channel)
                assert "acceptResources" in engine.call("Handshake", {"engineAddress": ""})
                assert engine.call("GetPluginInfo", {}) == {"version": VERSIONS[name]}
        finally:
            parent.kill()
    wait_for(lambda: not alive(pid))


@pytest.mark.parametrize("name", NAMES)
def test_a_stand_in_ends_without_a_word_when_the_engine_interrupts_it(
    name: str, environment: dict[str, str]
) -> None:
    with subprocess.Popen(
        str(STAND_INS / name), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as plugin:
        assert plugin.stdout is not None
        assert int(plugin.stdout.readline()) > 0
        plugin.send_signal(signal.SIGINT)
        _, complaints = plugin.communicate(timeout=20)
    assert complaints == b""


def test_a_stand_in_without_a_python_says_what_is_missing(environment: dict[str, str]) -> None:
    del environment["DATA_ALERTS_PYTHON"]
    result = subprocess.run(
        STAND_INS / NAMES[0], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert "DATA_ALERTS_PYTHON: must name the Python" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_engine_shows_the_refusal_outside_a_sandbox(tmp_path: Path) -> None:
    deployed = deployed_in(tmp_path)
    (tmp_path / "sandbox.json").unlink()

    def program() -> None:
        prefect.Provider("server", endpoint="http://127.0.0.1:9/api")

    with pytest.raises(automation.errors.CommandError) as caught:
        deployed.up(program)
    assert "This plugin is a stand-in for tests" in str(caught.value)
    assert "Traceback" not in str(caught.value)
