"""Bringing a whole sandbox up and taking it down."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from sandbox.environment import captured
from sandbox.processes import end_processes
from sandbox.services import (
    start_capture,
    start_engine,
    start_moto,
    start_prefect_server,
    start_sentinel,
    start_worker,
)
from sandbox.state import DEFAULT_FOLDER, SandboxError, SandboxState

MARKER = ".data-alerts-sandbox"
"""The file that says a folder is a sandbox's, and may be emptied."""


def bring_up(folder: Path = DEFAULT_FOLDER) -> SandboxState:
    """Bring up a new sandbox in `folder`, in place of one that is or was there.

    It outlives this process. Raises SandboxError, and leaves nothing but the logs, when a
    service does not start or the folder holds anything else.
    """
    folder = folder.resolve()
    take_down(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).touch()
    try:
        state = _start_services(folder)
    except BaseException:  # an interrupt too
        end_processes(folder)
        raise
    state.save()
    return state


def take_down(folder: Path = DEFAULT_FOLDER) -> None:
    """End every process of the sandbox in `folder` and empty the folder.

    Raises SandboxError when the folder is not a sandbox's.
    """
    folder = folder.resolve()
    end_processes(folder)
    if not folder.exists():
        return
    entries = set(folder.iterdir())
    marker = folder / MARKER
    if entries and marker not in entries:
        raise SandboxError(f"{folder} holds other files: name a new or empty folder")
    # The marker goes last, so that an interrupted removal can be resumed.
    for entry in entries - {marker}:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    marker.unlink(missing_ok=True)


@contextmanager
def passing_sandbox(folder: Path) -> Iterator[SandboxState]:
    """A sandbox that is taken down at the end, whatever happens."""
    try:
        yield bring_up(folder)
    finally:
        take_down(folder)


def _start_services(folder: Path) -> SandboxState:
    with ThreadPoolExecutor() as beside:
        moto_url = beside.submit(start_moto, folder)
        engine = beside.submit(start_engine, folder)
        # The server and the worker are told at their start where the capture is.
        capture = start_capture(folder)
        environment = captured(capture.proxy_url, capture.ca_file)
        prefect_ui_url = start_prefect_server(folder, environment)
        prefect_api_url = f"{prefect_ui_url}/api"
        start_sentinel(folder, prefect_api_url)
        engine.result()
        start_worker(folder, prefect_api_url, environment)
        return SandboxState(
            folder=folder,
            prefect_api_url=prefect_api_url,
            prefect_ui_url=prefect_ui_url,
            moto_url=moto_url.result(),
            proxy_url=capture.proxy_url,
            ca_file=capture.ca_file,
            page_url=capture.page_url,
        )
