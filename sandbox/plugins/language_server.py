"""The process of the part of Pulumi's Python language host that a sandbox takes.

The vendor's ships with the official CLI and comes in no package. With this one on PATH the plain
commands of a CI job, such as `pulumi preview`, run the program in a sandbox, too.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import grpc

from sandbox.plugins.lifetime import serve_the_engine

PARENT_CHECK_SECONDS = 1.0
NOTHING = b""
"""Any message of the protocol with nothing in it."""
OF_NO_PROGRAM = frozenset({"GetPluginInfo", "GetRequiredPackages", "Cancel"})
"""What the engine asks before it knows whether there is a program to run."""

if TYPE_CHECKING:
    _Handler: TypeAlias = grpc.RpcMethodHandler[bytes, bytes] | None
    _Handlers: TypeAlias = grpc.GenericRpcHandler[bytes, bytes]


class _WhenThereIsAProgram(grpc.GenericRpcHandler):  # type: ignore[type-arg] # generic only in stubs
    """Loads the SDK for the first request that needs it.

    The engine starts a host for each operation, also for one that runs no program, and would wait
    for the SDK a tenth of the time that a `destroy` takes.
    """

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "_Handler":
        if handler_call_details.method.rpartition("/")[2] in OF_NO_PROGRAM:
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: NOTHING)
        return self._host.service(handler_call_details)

    @cached_property
    def _host(self) -> "_Handlers":
        from pulumi.runtime.proto import language_pb2_grpc  # noqa: PLC0415

        from sandbox.plugins.language_host import LanguageHost  # noqa: PLC0415

        taken = _Taken()
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(
            LanguageHost(),
            taken,  # type: ignore[arg-type] # of a server it takes this one method
        )
        return taken.handler


class _Taken:
    """Takes the handler that generated code would give to a server."""

    handler: "_Handlers"

    def add_generic_rpc_handlers(self, handlers: Sequence["_Handlers"]) -> None:
        (self.handler,) = handlers


def main() -> None:
    """Serve until the engine ends."""
    server = grpc.server(ThreadPoolExecutor(), handlers=[_WhenThereIsAProgram()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    serve_the_engine(server, port, PARENT_CHECK_SECONDS)


if __name__ == "__main__":
    main()
