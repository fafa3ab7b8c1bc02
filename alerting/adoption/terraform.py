"""What a Terraform state file says was made with Terraform."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alerting.adoption.things import Kind

VERSION = 4
_KINDS = {
    "aws_secretsmanager_secret": Kind.SECRET,
    "prefect_block": Kind.BLOCK,
    "prefect_automation": Kind.AUTOMATION,
}


class TerraformError(Exception):
    """The file is no Terraform state; the text says what to do, and quotes nothing of it."""


@dataclass(frozen=True)
class Managed:
    """A thing that Terraform manages. `name` is a block's slug; `label` what its code calls it."""

    kind: Kind
    address: str
    label: str
    id: str
    name: str


def read_state(file: Path) -> list[Managed]:
    """The secrets, blocks and automations of a state file, such as `terraform state pull` prints.

    Raises:
        TerraformError: when it cannot be read.
    """
    try:
        state = json.loads(file.read_bytes())
    except OSError as error:
        raise TerraformError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError:
        state = None
    try:
        if state["version"] == VERSION:
            return [
                thing
                for resource in state["resources"]
                if resource["mode"] == "managed" and resource["type"] in _KINDS
                for thing in _instances(resource)
            ]
    except (KeyError, TypeError):
        pass
    raise TerraformError(
        f"{file} is no Terraform state of version {VERSION}. Make one with "
        "`terraform state pull > terraform.tfstate`"
    )


def _instances(resource: dict[str, Any]) -> Iterator[Managed]:
    kind, label = _KINDS[resource["type"]], resource["name"]
    module = f"{resource['module']}." if "module" in resource else ""
    for instance in resource["instances"]:
        index = f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""
        attributes = instance["attributes"]
        name = attributes["name"]
        if kind is Kind.BLOCK:
            name = f"{attributes['type_slug']}/{name}"
        address = f"{module}{resource['type']}.{label}{index}"
        yield Managed(kind, address, label, attributes["id"], name)
