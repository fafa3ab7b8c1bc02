"""Prefect's engine for the sandbox's worker, in processes that need not import it first.

A run of a drill spends nearly all of its time importing Prefect, and there are twenty of them
beside the server. Here one process imports it and forks: the command that the worker starts for
a run asks for a fork with its own environment, folder and output.
"""

import shlex
import sys
from pathlib import Path

from sandbox.engine import command

SOCKET = "engine.sock"
"""Where the forking process of a sandbox listens, in the sandbox's folder."""


def command_for_runs(folder: Path) -> str:
    """The command by which a worker starts a run in the sandbox of this folder."""
    # Without site-packages, which it has no use for. Nice, as pipelines run on other machines
    # than the server: so is the process that forks.
    return shlex.join((sys.executable, "-I", "-S", command.__file__, str(folder / SOCKET)))
