"""The process of a plugin: a gRPC server that lives as long as the engine that started it."""

import os
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeAlias

import grpc
from google.protobuf.message import Message
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.plugins.errors import ProviderError
from sandbox.plugins.lifetime import serve_the_engine
from sandbox.plugins.provider import Plugin, Servicer

MAX_CALLS_AT_ONCE = 32
PARENT_CHECK_SECONDS = 0.1

if TYPE_CHECKING:
    _Handler: TypeAlias = grpc.RpcMethodHandler[Message, Message] | None


def main(plugin: Plugin) -> None:
    """Serve the plugin until the engine ends."""
    serve_the_engine(*start(plugin), PARENT_CHECK_SECONDS)
    # At once: Python would first carry out what waits, beside the next deployment.
    os._exit(0)


def start(plugin: Plugin) -> tuple[grpc.Server, int]:
    """Start a server for the plugin; return it with its port on the loopback address."""
    server = grpc.server(
        ThreadPoolExecutor(MAX_CALLS_AT_ONCE),
        interceptors=[_Explaining()],
        # An automation with a thousand triggers outgrows the default of 4 MB.
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(plugin), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


class _Explaining(grpc.ServerInterceptor):  # type: ignore[type-arg] # generic only in its stubs
    """Turns what a method raises into the error the user reads."""

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], "_Handler"],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "_Handler":
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        answer = handler.unary_unary

        def explained(request: Message, context: grpc.ServicerContext) -> Message:
            try:
                return answer(request, context)
            except ProviderError as error:
                context.abort(grpc.StatusCode.UNKNOWN, str(error))
            except NotImplementedError:
                context.abort(grpc.StatusCode.UNIMPLEMENTED, "not needed by a stand-in")
            except Exception as error:  # noqa: BLE001 - gRPC would show its text, secrets included
                traceback.print_tb(error.__traceback__)
                context.abort(
                    grpc.StatusCode.INTERNAL,
                    f"The stand-in failed with {type(error).__name__}, which is a defect of "
                    "sandbox/plugins; the lines above say where.",
                )

        return grpc.unary_unary_rpc_method_handler(
            explained, handler.request_deserializer, handler.response_serializer
        )
