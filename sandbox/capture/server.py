"""The capture's one process: the proxy and the page on one event loop."""

import asyncio
import socket
from pathlib import Path

import uvicorn

from sandbox.capture.address import CaptureAddress
from sandbox.capture.messages import MessageLog
from sandbox.capture.page import page
from sandbox.capture.proxy import Announcer, Receiver, proxy


async def serve(folder: Path) -> None:
    """Capture into `folder` until the process is told to end."""
    log = MessageLog(folder)
    authority_folder = folder / "ca"
    with socket.create_server(("127.0.0.1", 0)) as page_socket:
        page_port = page_socket.getsockname()[1]

        def announce(proxy_port: int) -> None:
            CaptureAddress(
                proxy_url=f"http://127.0.0.1:{proxy_port}",
                page_url=f"http://127.0.0.1:{page_port}",
                ca_file=authority_folder / "mitmproxy-ca-cert.pem",
            ).save(folder)

        master = proxy(authority_folder, Receiver(folder, log), Announcer(announce))
        # Requests are not logged: each open page makes one a second.
        config = uvicorn.Config(
            page(folder, log), log_level="warning", access_log=False, lifespan="off"
        )
        await asyncio.gather(master.run(), uvicorn.Server(config).serve(sockets=[page_socket]))
