"""A Prefect workspace's API as far as silences ask it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Self

import httpx

from alerting.plan.published import PublishedSettings

_NAME = "/variables/name/"


@dataclass
class FakeVariablesApi:
    """Stands where an open Prefect client does. Keeps variables and the names of events."""

    settings: PublishedSettings
    flows: Sequence[str] = ()
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    refused: int | None = None
    """The status with which everything is refused."""
    api_url: str = "https://prefect.example.com/api/"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        return None

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,  # noqa: ANN401 - JSON
        params: object = None,
    ) -> SimpleNamespace:
        if self.refused:
            request = httpx.Request(method, self.api_url)
            answer = httpx.Response(self.refused, request=request)
            raise httpx.HTTPStatusError("refused", request=request, response=answer)
        found = self._answer(method, path, json)
        return SimpleNamespace(json=lambda: found)

    def _answer(self, method: str, path: str, body: Any) -> Any:  # noqa: ANN401 - JSON
        match method, path:
            case "GET", _ if path.startswith("/block_types/slug/secret/"):
                return {"data": {"value": self.settings.packed()}}
            case "POST", "/variables/":
                self.variables[body["name"]] = body
            case "POST", "/variables/filter":
                wanted = set(body["variables"]["tags"]["all_"])
                found = [each for each in self.variables.values() if wanted <= set(each["tags"])]
                return found[::-1][body["offset"] :]
            case "POST", "/flows/filter":
                return [{"name": name} for name in self.flows][body["offset"] :]
            case "POST", "/events":
                self.events += [event["event"] for event in body]
            case "PATCH", _ if path.startswith(_NAME):
                self.variables[path.removeprefix(_NAME)] |= body
            case "DELETE", _ if path.startswith(_NAME):
                del self.variables[path.removeprefix(_NAME)]
            case _:
                raise AssertionError(f"{method} {path} is nothing that silences ask")
        return None
