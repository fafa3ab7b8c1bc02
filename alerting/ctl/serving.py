"""Pages served until the process is told to end."""

import socket
from collections.abc import Sequence

import typer
import uvicorn

from alerting.connection import ConnectionProblem
from alerting.ctl.observed import Asked, observing
from alerting.observing.page.server import application
from alerting.observing.page.watch import Watch

ENDING_SECONDS = 3
"""How long open requests may take after the process was told to end."""


class _Server(uvicorn.Server):
    """Says where it is, once it is there: the port may have been chosen by the system."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for server in self.servers:
            for each in server.sockets:
                host, port = each.getsockname()[:2]
                typer.echo(f"serving at http://{f'[{host}]' if ':' in host else host}:{port}")


async def serve_pages(asked: Asked, host: str, port: int, hosts: Sequence[str]) -> None:
    """Serve a stack's pages.

    Raises what `observing` does, and ConnectionProblem for an address that is not to be had.
    """
    async with observing(asked) as observer:
        config = uvicorn.Config(
            application(Watch(observer), hosts),
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=ENDING_SECONDS,
        )
        try:
            await _Server(config).serve()
        except SystemExit:  # which is how it says so
            raise ConnectionProblem(
                f"{host}:{port} cannot be listened at: name another with --host and --port"
            ) from None
