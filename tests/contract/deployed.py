"""A throwaway stack that the real engine deploys with the stand-ins."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pulumi import automation

from sandbox.pulumi_cli import find_cli

STAND_INS = Path(__file__).resolve().parents[2] / "sandbox" / "plugins" / "bin"
PROJECT = "stand-ins"


@dataclass(frozen=True)
class Deployed:
    """The stack in a folder; every operation may have another program.

    The operations raise CommandError, with all that the engine printed, when they fail. They return
    the number of resources by what was done to them.
    """

    folder: Path

    def up(self, program: Callable[[], None]) -> dict[str, int]:
        """Deploy."""
        return _changes(self.stack.up(program=program, color="never").summary)

    def refresh(self) -> dict[str, int]:
        """Read the state from the servers."""
        return _changes(self.stack.refresh(color="never").summary)

    def destroy(self) -> dict[str, int]:
        """Delete all that is in the stack."""
        return _changes(self.stack.destroy(color="never").summary)

    def expect_no_changes(self, program: Callable[[], None]) -> None:
        """Fail when a preview shows a change."""
        self.stack.preview(program=program, expect_no_changes=True, color="never")

    def checkpoint(self) -> str:
        """The stack's state as it is on disk."""
        [file] = self.folder.glob(f"state/.pulumi/stacks/{PROJECT}/*.json")
        return file.read_text(encoding="utf-8")

    @cached_property
    def stack(self) -> automation.Stack:
        """The stack in the Automation API."""
        state = f"file://{self.folder / 'state'}"
        settings = automation.ProjectSettings(
            PROJECT, "python", backend=automation.ProjectBackend(state)
        )
        return automation.create_or_select_stack(
            stack_name="test",
            project_name=PROJECT,
            program=lambda: None,
            opts=automation.LocalWorkspaceOptions(
                work_dir=str(self.folder),
                pulumi_command=find_cli(),
                project_settings=settings,
                env_vars=self.environment,
            ),
        )

    @property
    def environment(self) -> dict[str, str]:
        """The engine's environment, which its plugins inherit."""
        return {
            "DATA_ALERTS_PYTHON": sys.executable,
            "DATA_ALERTS_SANDBOX": str(self.folder),
            "PATH": f"{STAND_INS}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "fake",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }


def deployed_in(folder: Path) -> Deployed:
    """Make the folder a sandbox with an empty stack."""
    (folder / "sandbox.json").write_text(json.dumps({}))
    (folder / "state").mkdir()
    return Deployed(folder)


def _changes(summary: automation.UpdateSummary) -> dict[str, int]:
    return {str(what): count for what, count in (summary.resource_changes or {}).items()}
