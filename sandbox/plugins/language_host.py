"""What Pulumi's Python language host does to run a program and its policies."""

import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2


class LanguageHost(LanguageServer):
    """Runs the program that a request names."""

    def __init__(self) -> None:
        super().__init__(lambda: None)

    def Run(  # noqa: N802 - the protocol's name
        self, request: language_pb2.RunRequest, context: grpc.ServicerContext
    ) -> language_pb2.RunResponse:
        """Run the program in its folder, as the vendor's host does, with its variables."""
        folder = Path(request.info.program_directory)

        def program() -> None:
            runpy.run_path(str(folder), run_name="__main__")

        self.program = program
        with _working_in(folder):
            answer: language_pb2.RunResponse = super().Run(request, context)  # type: ignore[no-untyped-call]
            return answer

    def RunPlugin(  # noqa: N802 - the protocol's name
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Run a policy pack, the only plugin here that is a Python program, until it is ended.

        What it prints is its port. It is handed no configuration: the vendor's host hands it none.
        """
        folder = request.info.program_directory
        command = [sys.executable, "-u", "-m", "pulumi.policy", *request.args, folder]
        environment = dict(variable.split("=", 1) for variable in request.env)
        with subprocess.Popen(  # noqa: S603 - the interpreter that runs this
            command, cwd=request.pwd, env=environment, stdout=subprocess.PIPE
        ) as process:
            context.add_callback(process.kill)
            for line in process.stdout or ():
                yield language_pb2.RunPluginResponse(stdout=line)
        yield language_pb2.RunPluginResponse(exitcode=process.returncode)


@contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
