"""Which stack files a command reads: `--stack NAME`, `--file PATH`, or every one there is."""

from pathlib import Path
from typing import Annotated

import typer

from alerting.settings import Problem, SettingsError
from alerting.settings.stackfile import project_root, stack_files, stack_name

StackOption = Annotated[
    str | None, typer.Option("--stack", help="The stack's name: reads Pulumi.<stack>.yaml.")
]
FileOption = Annotated[Path | None, typer.Option("--file", help="A stack file, by its path.")]


def chosen_files(stack: str | None, file: Path | None) -> list[Path]:
    """The stack files that were asked for; by default every one in the project.

    Raises:
        typer.BadParameter: when both a stack and a file are named.
        SettingsError: when none is named and there is none.
    """
    if stack and file:
        raise typer.BadParameter("name a stack or a file, not both")
    if file:
        return [file]
    root = project_root(Path.cwd())
    return [root / f"Pulumi.{stack}.yaml"] if stack else stack_files(root)


def chosen_file(stack: str | None, file: Path | None) -> Path:
    """The one stack file that was asked for; by default the project's, where it has only one.

    Raises what `chosen_files` does, and SettingsError when it is to be one of several.
    """
    files = chosen_files(stack, file)
    if len(files) > 1:
        names = ", ".join(stack_name(each) for each in files)
        raise SettingsError("--stack", [Problem(0, "stack", f"is not named. Name one of {names}")])
    return files[0]
