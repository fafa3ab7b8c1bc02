"""The processes of the plugins: `python -m sandbox.plugins PLUGIN`, which the executables start."""

import importlib
import importlib.util
import sys
import types
from pathlib import Path

PLUGINS = {
    "aws": "sandbox.plugins.aws:Aws",
    "terraform-provider": "sandbox.plugins.prefect_bridge:PrefectBridge",
}


def _skip_the_sdk() -> None:
    """Make the protocol of `pulumi` importable without what no plugin needs.

    The engine starts each plugin anew for each operation, one after the other, and the SDK, the
    messages of other protocols and gRPC for asyncio would be most of the time until it answers.
    """
    found = importlib.util.find_spec("pulumi")
    if found is None or not found.submodule_search_locations:
        sys.exit("The package pulumi is not installed for this Python.")
    sdk = Path(found.submodule_search_locations[0])
    folders = {
        "pulumi": sdk,
        "pulumi.runtime": sdk / "runtime",
        "pulumi.runtime.proto": sdk / "runtime" / "proto",
    }
    for name, folder in folders.items():
        package = types.ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    sys.modules["grpc.aio"] = types.ModuleType("grpc.aio")


def _run(plugin: str) -> None:
    _skip_the_sdk()
    server = importlib.import_module("sandbox.plugins.server")
    module, _, name = PLUGINS[plugin].partition(":")
    server.main(getattr(importlib.import_module(module), name)())


if __name__ == "__main__":
    _run(sys.argv[1])
