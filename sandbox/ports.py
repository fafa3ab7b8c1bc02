"""Ports nothing else listens on."""

import socket


def free_port() -> int:
    """Pick a port of this machine that is free now; another process may still take it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
