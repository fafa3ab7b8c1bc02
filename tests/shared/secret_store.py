"""A Secrets Manager that answers at once and may be interrupted before and after each call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

NAME = "prefect/slack-url"
OLD = "https://hooks.slack.com/services/T0FAKE/B0FAKE/oldoldoldoldold"
NEW = "https://hooks.slack.com/services/T0FAKE/B0FAKE/newnewnewnewnew"
OTHER = "https://hooks.slack.com/services/T0FAKE/B0FAKE/otherotherother"

Answer = dict[str, Any]


@dataclass
class Version:
    value: str
    labels: list[str] = field(default_factory=list)


class FakeClient:
    """One secret, in the shape of boto3's client. test_secrets_manager.py has moto's."""

    def __init__(self, value: str | None) -> None:
        self.versions: dict[str, Version] = {}
        self.moment: Callable[[], None] = lambda: None
        self._ids = count()
        if value is not None:
            self._add(f"first-{next(self._ids)}", value, ["AWSCURRENT"])

    def labels(self) -> dict[str, str]:
        """The values that bear a label, by label."""
        return {label: v.value for v in self.versions.values() for label in v.labels}

    def put_from_outside(self, value: str) -> None:
        """What the deployment does with a value that the stack brings."""
        self._add(f"deployed-{next(self._ids)}", value, ["AWSCURRENT"])

    def describe_secret(self, **_: str) -> Answer:
        stages = {i: list(v.labels) for i, v in self.versions.items() if v.labels}
        return self._interruptible(lambda: {"VersionIdsToStages": stages})

    def list_secret_version_ids(self, **_: object) -> Answer:
        listed = [
            {"VersionId": i, "VersionStages": list(v.labels)} for i, v in self.versions.items()
        ]
        return self._interruptible(lambda: {"Versions": listed})

    def get_secret_value(self, **asked: str) -> Answer:
        return self._interruptible(lambda: {"SecretString": self._asked(asked).value})

    def put_secret_value(self, **asked: Any) -> Answer:  # noqa: ANN401 - as boto3 takes it
        return self._interruptible(lambda: self._put(asked))

    def update_secret_version_stage(self, **asked: str) -> Answer:
        return self._interruptible(lambda: self._unlabel(asked))

    def _interruptible(self, act: Callable[[], Answer]) -> Answer:
        self.moment()
        answer = act()
        self.moment()
        return answer

    def _unlabel(self, asked: dict[str, str]) -> Answer:
        self.versions[asked["RemoveFromVersionId"]].labels.remove(asked["VersionStage"])
        return {}

    def _asked(self, asked: dict[str, str]) -> Version:
        if "VersionId" in asked:
            return self.versions[asked["VersionId"]]
        for version in self.versions.values():
            if asked["VersionStage"] in version.labels:
                return version
        raise refusal("ResourceNotFoundException")

    def _put(self, asked: Answer) -> Answer:
        version_id, value = asked["ClientRequestToken"], asked["SecretString"]
        there = self.versions.get(version_id)
        if there and there.value != value:
            raise refusal("ResourceExistsException")
        if not there:
            self._add(version_id, value, asked["VersionStages"])
        return {"VersionStages": list(self.versions[version_id].labels)}

    def _add(self, version_id: str, value: str, labels: list[str]) -> None:
        for other in self.versions.values():
            if "AWSCURRENT" in labels and "AWSPREVIOUS" in other.labels:
                other.labels.remove("AWSPREVIOUS")
        for label in labels:
            for other in self.versions.values():
                if label in other.labels:
                    other.labels.remove(label)
                    other.labels.extend(["AWSPREVIOUS"] if label == "AWSCURRENT" else [])
        self.versions[version_id] = Version(value, list(labels))


def refusal(code: str, operation: str = "PutSecretValue") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"about {NEW}"}}, operation)
