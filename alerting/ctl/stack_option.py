"""Which stack files a command reads: `--stack NAME`, `--file PATH`, or every one there is."""

from pathlib import Path
from typing import Annotated

import typer

from alerting.settings.stackfile import stack_files

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
    root = project_root()
    return [root / f"Pulumi.{stack}.yaml"] if stack else stack_files(root)


def project_root() -> Path:
    """The nearest folder upwards that holds Pulumi.yaml; here, when there is none."""
    here = Path.cwd()
    return next((p for p in (here, *here.parents) if (p / "Pulumi.yaml").is_file()), here)
