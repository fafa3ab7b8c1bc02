"""`alertctl sentinel`: run the sentinel, or host it on a work pool."""

import asyncio
import logging
import sys
from typing import Annotated

import typer

from alerting.redaction import redact

app = typer.Typer(
    name="sentinel", help="The service that judges what no trigger can.", no_args_is_help=True
)
PrefixOption = Annotated[
    str | None,
    typer.Option(
        "--name-prefix",
        envvar="DATA_ALERTS_NAME_PREFIX",
        help="The stack's namePrefix, where it has one.",
    ),
]
EXIT_IMPOSSIBLE = 2


@app.command()
def run(name_prefix: PrefixOption = None) -> None:
    """Follow the runs of the workspace that PREFECT_API_URL names, until SIGTERM.

    It follows the settings as deployed, and takes up new ones by itself. DATA_ALERTS_PING_URL may
    hold the URL of a dead-man service, which is asked for with each heartbeat.
    """
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    # Their request lines would be the whole log.
    for noisy in ("httpx", "httpcore", "websockets"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # Prefect takes two seconds to import: only those who need it wait for it.
    from alerting.sentinel.hosting import run_sentinel  # noqa: PLC0415

    _need_api_url()
    asyncio.run(run_sentinel(name_prefix))


@app.command()
def deploy(
    work_pool: Annotated[
        str, typer.Option("--work-pool", help="A work pool whose workers have this package.")
    ],
    name_prefix: PrefixOption = None,
) -> None:
    """Have a work pool's workers keep the sentinel running.

    Deploying again changes the deployment that is there.
    """
    import httpx  # noqa: PLC0415
    from prefect.exceptions import ObjectNotFound  # noqa: PLC0415

    from alerting.sentinel.hosting import deploy as deploy_to  # noqa: PLC0415

    _need_api_url()
    try:
        name = asyncio.run(deploy_to(work_pool, name_prefix))
    except ObjectNotFound:
        _refuse(
            f"there is no work pool {work_pool!r}: name one of `prefect work-pool ls`, or create "
            f"it with `prefect work-pool create --type process {work_pool}`"
        )
    except httpx.HTTPError as error:
        _refuse(f"Prefect cannot be asked: {redact(str(error)) or type(error).__name__}")
    typer.echo(f"{name} is deployed to work pool {work_pool}; a worker of the pool starts it now")


def _need_api_url() -> None:
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415

    if not PREFECT_API_URL.value():
        _refuse("PREFECT_API_URL is not set: set it to the workspace's or the server's API")


def _refuse(problem: str) -> None:
    typer.echo(f"sentinel: {problem}", err=True)
    raise typer.Exit(EXIT_IMPOSSIBLE)
