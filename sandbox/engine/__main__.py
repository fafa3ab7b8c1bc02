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

# What a run imports, for the forks. Not `prefect.engine`, which they run as a program.
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
    signal.signal(signal.SIGCHLD, lambda *_: _tell_end(asking))
    run = os.fork()
    if run != 0:
        for stream in streams:
            os.close(stream)
        _pass_signals(asking, run)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    asking.close()
    for stream, standard in zip(streams, STREAMS, strict=True):
        os.dup2(stream, standard)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["prefect.engine"]
    refresh_global_settings_context()
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


def _pass_signals(asking: socket.socket, run: int) -> None:
    while numbers := asking.recv(1):
        os.kill(run, numbers[0])
    # The command was killed, and nobody waits for the run.
    os.kill(run, signal.SIGKILL)
    while True:
        signal.pause()


def _tell_end(asking: socket.socket) -> None:
    _, status = os.wait()
    with suppress(OSError):
        asking.sendall(EXIT_CODE.pack(os.waitstatus_to_exitcode(status)))
    os._exit(0)


if __name__ == "__main__":
    main()
