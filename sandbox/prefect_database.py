"""A Prefect server's empty database, made once and copied for each server.

On an empty file a server first runs the migrations of all its versions, two thirds of its start.
"""

import fcntl
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from alerting.cache_folder import cache_folder
from sandbox.environment import base_environment
from sandbox.state import SandboxError

FILE_NAME = "prefect.db"
"""What a server looks for in its PREFECT_HOME."""


def provide(home: Path) -> None:
    """Give a server that has no database yet an empty one.

    Raises SandboxError when none can be made.
    """
    database = home / FILE_NAME
    if not database.exists():
        home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(empty_database(), database)


def empty_database() -> Path:
    """The database of the installed version. Takes some 20 s where it is not there yet.

    Raises SandboxError when Prefect cannot make it.
    """
    file = cache_folder() / f"prefect-{version('prefect')}.db"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with _alone(file.with_suffix(".lock")):
            if not file.exists():
                _make(file)
    return file


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let others wait; the lock of a process that was killed is free."""
    with lock.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def _make(file: Path) -> None:
    # Made beside and moved: an interrupted one leaves no half a database.
    with TemporaryDirectory(dir=file.parent) as home:
        made = subprocess.run(  # noqa: S603 - the installed Prefect
            [Path(sys.executable).with_name("prefect"), "server", "database", "upgrade", "--yes"],
            env={**base_environment(), "PREFECT_HOME": home, "DO_NOT_TRACK": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        migrated, whole = Path(home) / FILE_NAME, Path(home) / "whole.db"
        if made.returncode or not migrated.exists():
            raise SandboxError(f"Prefect cannot make its database:\n{made.stdout[-2000:]}")
        with closing(sqlite3.connect(migrated)) as database:
            # Also what is still in the log beside it.
            database.execute("VACUUM INTO ?", (str(whole),))
        whole.replace(file)
