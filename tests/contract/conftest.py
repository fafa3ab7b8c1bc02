"""Servers of the stand-ins' tests, and the wires to them."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from sandbox.wire import Wire, wire_to
from tests.contract.deployed import Deployed, deployed_in

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@pytest.fixture
def prefect_wire(prefect_server: str) -> Iterator[Wire]:
    """A wire to the Prefect server; its API is at the wire's address followed by /api."""
    with wire_to(prefect_server.removesuffix("/api")) as wire:
        yield wire


@pytest.fixture
def moto_wire(moto_url: str) -> Iterator[Wire]:
    """A wire to what stands for AWS."""
    with wire_to(moto_url) as wire:
        yield wire


@pytest.fixture
def secrets_manager(moto_url: str) -> "SecretsManagerClient":
    """A client of its own for what stands for AWS, past the wire."""
    return boto3.client(
        "secretsmanager",
        endpoint_url=moto_url,
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        # A proxy of the environment is not meant for this machine.
        config=Config(proxies={}),
    )


@pytest.fixture
def deployed(tmp_path: Path) -> Deployed:
    """A sandbox's folder with an empty stack."""
    return deployed_in(tmp_path)
