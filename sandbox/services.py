"""The services of a sandbox: each starts, and returns once it answers.

Every function raises SandboxError, with the last lines of the service's log, when the
service ends early or does not answer in time.
"""

import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import httpx

from sandbox import engine, prefect_database
from sandbox.capture.address import CaptureAddress
from sandbox.environment import base_environment
from sandbox.ports import free_port
from sandbox.processes import POLL_SECONDS, Service, start_service
from sandbox.state import SandboxError

START_SECONDS = 90.0
PROBE_SECONDS = 2.0
PORT_ATTEMPTS = 3
WORK_POOL = "sandbox"
REPOSITORY = Path(__file__).resolve().parent.parent


def start_prefect_server(folder: Path, environment: Mapping[str, str]) -> str:
    """Start a Prefect server on an empty database and return its address, without /api."""
    home = folder / "prefect"
    prefect_database.provide(home)

    def start(port: int) -> Service:
        url = f"http://127.0.0.1:{port}"
        return start_service(
            "prefect-server",
            [_tool("prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            folder,
            {
                **base_environment(),
                **environment,
                "DO_NOT_TRACK": "1",
                "PREFECT_HOME": str(home),
                "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
                # Without its own address the links in messages print None.
                "PREFECT_UI_URL": url,
                # The pages in the browser would ask port 4200.
                "PREFECT_SERVER_UI_API_URL": f"{url}/api",
                # An escalation whose window ends while the server is down fires later, not never.
                "PREFECT_SERVER_EVENTS_EXPIRED_BUCKET_BUFFER": "PT1H",
                # A run that waits for the worker on a busy machine is not late.
                "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "60",
            },
        )

    return _start_on_free_port(start, "/api/health")


def start_moto(folder: Path) -> str:
    """Start an empty AWS stand-in and return its endpoint URL."""

    def start(port: int) -> Service:
        return start_service(
            "moto",
            [_tool("moto_server"), "-H", "127.0.0.1", "-p", str(port)],
            folder,
            base_environment(),
        )

    return _start_on_free_port(start, "/moto-api/data.json")


def start_capture(folder: Path) -> CaptureAddress:
    """Start what stands where Slack and PagerDuty do, and return its addresses."""
    service = start_service(
        "capture",
        [sys.executable, "-m", "sandbox.capture", str(folder)],
        folder,
        {**base_environment(), "PYTHONPATH": str(REPOSITORY)},
    )
    wait_until(service, lambda: CaptureAddress.is_saved(folder))
    return CaptureAddress.load(folder)


def start_worker(folder: Path, prefect_api_url: str, environment: Mapping[str, str]) -> None:
    """Start a process worker for the pool `sandbox`, which is made if it is missing."""
    service = start_service(
        "worker",
        [
            # As pipelines and their workers run on other machines than the server.
            *("nice", _tool("prefect"), "worker", "start", "--type", "process"),
            *("--pool", WORK_POOL, "--name", WORK_POOL),
        ],
        folder,
        {
            **base_environment(),
            **environment,
            "DO_NOT_TRACK": "1",
            "PREFECT_API_URL": prefect_api_url,
            "PREFECT_HOME": str(folder / "worker"),
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            # The runs' logs stay in the worker's. The server gives an event up after four tries
            # that meet SQLite's lock, and log lines are most of what would be written.
            "PREFECT_LOGGING_TO_API_ENABLED": "false",
            "PYTHONPATH": str(REPOSITORY),
        },
    )
    wait_until(service, lambda: _worker_is_online(prefect_api_url))


def start_engine(folder: Path) -> Service:
    """Start what forks flow runs for the worker."""
    socket = folder / engine.SOCKET
    service = start_service(
        "engine",
        ["nice", sys.executable, "-m", "sandbox.engine", str(socket)],
        folder,
        {
            **base_environment(),
            "DO_NOT_TRACK": "1",
            "PREFECT_HOME": str(folder / "worker"),
            "PYTHONPATH": str(REPOSITORY),
        },
    )
    wait_until(service, socket.exists)
    return service


def start_sentinel(folder: Path, prefect_api_url: str, name_prefix: str | None = None) -> Service:
    """Start the sentinel of the stack with this `namePrefix`.

    It waits for the stack by itself, and is heard from then on.
    """
    which = ("--name-prefix", name_prefix) if name_prefix else ()
    return start_service(
        f"sentinel-{name_prefix}" if name_prefix else "sentinel",
        [sys.executable, "-m", "alerting.ctl", "sentinel", "run", *which],
        folder,
        {
            **base_environment(),
            "DO_NOT_TRACK": "1",
            "NO_PROXY": "127.0.0.1,localhost",
            "PREFECT_API_URL": prefect_api_url,
            "PREFECT_HOME": str(folder / "sentinel"),
            "PYTHONPATH": str(REPOSITORY),
        },
    )


def wait_until(
    service: Service, condition: Callable[[], bool], seconds: float = START_SECONDS
) -> None:
    """Wait for `condition`; raise SandboxError when the service ends or the time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if service.exited():
            raise SandboxError(f"{service.name} ended while starting:\n{service.log_tail()}")
        if time.monotonic() > deadline:
            raise SandboxError(
                f"{service.name} is not up after {seconds:.0f} s:\n{service.log_tail()}"
            )
        time.sleep(POLL_SECONDS)


def _start_on_free_port(start: Callable[[int], Service], health_path: str) -> str:
    for attempts_left in reversed(range(PORT_ATTEMPTS)):
        port = free_port()
        service = start(port)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(service, partial(_answers, url + health_path))
        except SandboxError:
            # Another process took the port after it was found free.
            if attempts_left and service.exited() and "in use" in service.log_tail():
                continue
            raise
        return url
    raise AssertionError("the last attempt returns or raises")


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=PROBE_SECONDS).is_success
    except httpx.TransportError:
        return False


def _worker_is_online(prefect_api_url: str) -> bool:
    try:
        answer = httpx.post(
            f"{prefect_api_url}/work_pools/{WORK_POOL}/workers/filter",
            json={},
            trust_env=False,
            timeout=PROBE_SECONDS,
        )
    except httpx.TransportError:
        return False
    return answer.is_success and any(worker["status"] == "ONLINE" for worker in answer.json())


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
