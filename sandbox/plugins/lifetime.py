"""How long a process lives that the engine starts."""

import os
import signal

import grpc


def serve_the_engine(server: grpc.Server, port: int, check_seconds: float) -> None:
    """Print the port, which is how the engine finds it, and return once the engine has ended."""
    # The engine ends a plugin with this signal, and shows what it prints as a fault of the plugin.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    engine = os.getppid()
    print(port, flush=True)  # noqa: T201 - the protocol asks for it
    # A killed engine cannot say goodbye; without this what it started would stay for ever.
    while server.wait_for_termination(check_seconds) and os.getppid() == engine:
        pass
