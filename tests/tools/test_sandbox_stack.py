"""Deploying many times in one process."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import grpc
import pytest
from pulumi.runtime.proto.engine_pb2 import RequirePulumiVersionRequest
from pulumi.runtime.proto.engine_pb2_grpc import EngineStub
from pulumi.runtime.settings import Settings

import sandbox.stack  # noqa: F401 importing it prepares the process that deploys


def test_an_engine_is_reached_on_a_port_that_refused_an_earlier_one() -> None:
    copy_context().run(_reach_a_later_engine)


def _reach_a_later_engine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    # Both are held: a connection that nothing holds is closed, and hinders nobody.
    gone, later = _engine(address), _engine(address)
    assert _answer(gone) == grpc.StatusCode.UNAVAILABLE
    server_of_later = grpc.server(ThreadPoolExecutor(1))
    server_of_later.add_insecure_port(address)
    server_of_later.start()
    try:
        assert _answer(later) == grpc.StatusCode.UNIMPLEMENTED
    finally:
        server_of_later.stop(None)


def _engine(address: str) -> EngineStub:
    engine: EngineStub | None = Settings("data-alerts", "sandbox", engine=address).engine
    assert engine
    return engine


def _answer(engine: EngineStub) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as refused:
        engine.RequirePulumiVersion(RequirePulumiVersionRequest())
    code: grpc.StatusCode = refused.value.code()
    return code
