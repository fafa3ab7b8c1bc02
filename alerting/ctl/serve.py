"""`alertctl serve`: the state of the pipelines and of the alerting as a page."""

import logging
import sys
from typing import Annotated

import typer

from alerting.ctl.stack_option import FileOption, StackOption
from alerting.ctl.status import PrefixOption

HOST, PORT = "127.0.0.1", 8710


def serve(
    *,
    stack: StackOption = None,
    file: FileOption = None,
    name_prefix: PrefixOption = None,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen at; by default this machine alone.")
    ] = HOST,
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="The port.")] = PORT,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host", help="A name under which a proxy asks for the page; repeatable."
        ),
    ] = None,
) -> None:
    """Serve the same as a page, until SIGTERM.

    The page has no login. It listens to this machine alone; for others put it behind a proxy with
    a login of its own, and name what the proxy calls it with --allow-host. It shows no secret and
    changes nothing. Exit code 2 when it cannot start.
    """
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # They import Prefect, which takes two seconds.
    from alerting.ctl.observed import Asked, answered  # noqa: PLC0415
    from alerting.ctl.serving import serve_pages  # noqa: PLC0415

    asked = Asked(stack, file, name_prefix)
    answered("serve", lambda: serve_pages(asked, host, port, allow_host or []))
