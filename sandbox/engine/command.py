"""What the worker starts for a run, in place of `python -m prefect.engine`.

Run as a file, without this package and any other: to start quickly is all that it is for.
"""

import json
import os
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

EXIT_CODE = struct.Struct("i")
"""How a run ended: its exit code, or a signal's number, negative."""
STREAMS = (0, 1, 2)
"""The standard streams, which the run gets."""


def main(path: str) -> int:
    """Ask for a run, wait for its end, and end as it did; with one line where nothing runs it."""
    folder, name = os.path.split(path)
    request = {"environment": dict(os.environ), "folder": str(Path.cwd())}
    try:
        with socket.socket(socket.AF_UNIX) as run:
            os.chdir(folder)
            run.connect(name)
            socket.send_fds(run, [b"\0"], STREAMS)
            run.sendall(json.dumps(request).encode() + b"\n")
            signal.signal(signal.SIGTERM, lambda number, _: _pass(run, number))
            answer = run.recv(EXIT_CODE.size)
    except OSError as error:
        sys.exit(f"nothing forks runs at {path}: {error.strerror}")
    if not answer:
        sys.exit(f"what forks runs at {path} has ended")
    code: int = EXIT_CODE.unpack(answer)[0]
    if code < 0:
        with suppress(OSError):  # of SIGKILL, which nobody handles
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _pass(run: socket.socket, number: int) -> None:
    # The run may have ended just now, and then how it did is what counts.
    with suppress(OSError):
        run.sendall(bytes([number]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
