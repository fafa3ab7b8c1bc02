"""Whether Prefect is new enough, and what is installed here is what was locked."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from alerting.doctor.deployment import Deployment
from alerting.doctor.findings import NotMadeError, Trouble

OLDEST = Version("3.4.5")
"""The first that matches several related resources at once, as most rules do."""
_LOCKS = "requirements*.txt"


def prefect_is_new_enough(deployment: Deployment) -> Iterator[Trouble]:
    """A server that takes rules and does not know what they mean."""
    if deployment.settings.prefect.is_cloud:
        raise NotMadeError("Prefect Cloud has no version of its own to ask for")
    told = deployment.prefect.get("/admin/version").document
    try:
        version = Version(str(told))
    except InvalidVersion:
        raise NotMadeError("the server does not tell its version") from None
    if version < OLDEST:
        yield Trouble(
            f"Prefect {version} is too old: rules match on what it does not know",
            f"upgrade the server to {OLDEST} or newer, then deploy",
        )


def packages_are_locked_ones(deployment: Deployment) -> Iterator[Trouble]:
    """Packages that are installed here in another version than the project's lock says."""
    locked = {
        name: version
        for file in sorted(deployment.root.glob(_LOCKS))
        for name, version in _locked(file)
    }
    if not locked:
        raise NotMadeError(f"there is no {_LOCKS} beside Pulumi.yaml")
    other = [
        f"{name} {installed} in place of {version}"
        for name, version in locked.items()
        if (installed := _installed(name)) not in (None, version)
    ]
    if other:
        yield Trouble(
            f"other versions are installed than locked: {', '.join(other)}", "run `make setup`"
        )


def _locked(file: Path) -> Iterator[tuple[str, str]]:
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            requirement = Requirement(line.rstrip("\\ "))
        except InvalidRequirement:  # a hash, a comment, a path
            continue
        for pinned in requirement.specifier:
            if pinned.operator == "==" and (
                not requirement.marker or requirement.marker.evaluate()
            ):
                yield requirement.name, pinned.version


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
