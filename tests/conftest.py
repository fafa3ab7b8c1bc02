"""Services that several test files share."""

import gc
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.capture.address import CaptureAddress
from sandbox.processes import contained
from sandbox.services import start_capture, start_moto, start_prefect_server

# Pulumi's mocks make garbage in cycles by the million; looking for it is an eighth of the time.
gc.set_threshold(100_000, 50, 50)

# Nothing listens there: a server of the tests sends nothing anywhere.
NOWHERE = {"HTTP_PROXY": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1"}


def pytest_collection_finish() -> None:
    """Leave what the imports made to itself: looking through it again costs seconds."""
    gc.freeze()


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API URL (ending in /api) of a real Prefect server that nothing captures."""
    folder = tmp_path_factory.mktemp("prefect-server")
    with contained(folder):
        yield start_prefect_server(folder, {**NOWHERE, "NO_PROXY": "127.0.0.1,localhost"}) + "/api"


@pytest.fixture(scope="session")
def moto_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint URL of an AWS stand-in with a Secrets Manager that is empty at first."""
    folder = tmp_path_factory.mktemp("moto")
    with contained(folder):
        yield start_moto(folder)


@pytest.fixture
def capture_folder(tmp_path: Path) -> Path:
    """The folder of `capture`: its messages, channels and logs."""
    folder = tmp_path / "capture"
    folder.mkdir()
    return folder


@pytest.fixture
def capture(capture_folder: Path) -> Iterator[CaptureAddress]:
    """A real capture process that knows no channel yet."""
    with contained(capture_folder):
        yield start_capture(capture_folder)


@pytest.fixture
def sender(capture: CaptureAddress) -> Iterator[httpx.Client]:
    """An HTTP client whose every request goes to `capture`."""
    context = ssl.create_default_context(cafile=capture.ca_file)
    with httpx.Client(proxy=capture.proxy_url, verify=context, trust_env=False) as client:
        yield client
