"""`python -m sandbox.engine SOCKET`: fork a run for each command that asks at this socket."""

import gc
import json
import os
import runpy
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Never

# What a run imports, for the forks.
import prefect._internal.metrics
import prefect.flow_engine  # noqa: F401
from prefect.context import refresh_global_settings_context

import sandbox.flows  # noqa: F401
from sandbox.engine.command import EXIT_CODE, STREAMS


def main() -> None:
    """Serve until ended. A fork returns, so that Python ends in it as it always does."""
    path = Path(sys.argv[1])
    # By its name: the path of a socket has 100 characters at most, and a sandbox's may have more.
    os.chdir(path.parent)
    # The system forgets attendants that have ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()  # a fork that looked through all of this for garbage would copy it
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"{path.name}.new")
    listening.listen()
    Path(f"{path.name}.new").rename(path.name)
    while True:
        asking, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            _run(asking)
            return
        asking.close()


def _run(asking: socket.socket) -> None:
    """Be the run that was asked for, with an attendant that tells the command how it ended."""
    _, streams, _, _ = socket.recv_fds(asking, 1, len(STREAMS))
    with asking.makefile("rb") as lines:
        line = lines.readline()
    if not line.endswith(b"\n"):  # the command was killed before it had asked
        return
    request = json.loads(line)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    run = os.fork()
    if run != 0:
        for stream in streams:
            os.close(stream)
        _attend(asking, run)
    asking.close()
    for stream, standard in zip(streams, STREAMS, strict=True):
        os.dup2(stream, standard)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["prefect.engine"]
    refresh_global_settings_context()
    # What is imported with the flow engine: as a program it is loaded once more, as ever.
    sys.modules.pop("prefect.engine", None)
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


def _attend(asking: socket.socket, run: int) -> Never:
    """Pass the command's signals on until the run has ended, and tell it how that ended."""
    telling = Thread(target=_tell_end, args=(asking, run))
    telling.start()
    with suppress(OSError):
        while numbers := asking.recv(1):
            os.kill(run, numbers[0])
    # The command was killed, and nobody waits for the run.
    with suppress(ProcessLookupError):
        os.kill(run, signal.SIGKILL)
    telling.join()
    os._exit(0)


def _tell_end(asking: socket.socket, run: int) -> None:
    _, status = os.waitpid(run, 0)
    with suppress(OSError):
        asking.sendall(EXIT_CODE.pack(os.waitstatus_to_exitcode(status)))
    os._exit(0)


if __name__ == "__main__":
    main()
