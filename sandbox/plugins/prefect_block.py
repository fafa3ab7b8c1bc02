"""Prefect's blocks: what a notification needs to be sent, and where to."""

from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from sandbox.plugins.errors import ProviderError
from sandbox.plugins.json_text import is_json, meaning, text_for
from sandbox.plugins.prefect_api import CONFLICT, NOT_FOUND, PrefectApi
from sandbox.plugins.prefect_objects import (
    PrefectObject,
    made_since,
    require_deleted,
    require_found,
    require_id,
    timestamps,
)
from sandbox.plugins.values import Properties, Value


class Block(PrefectObject):
    """`prefect:index/block:Block`."""

    inputs: ClassVar = frozenset({"name", "typeSlug", "data"})
    replacing: ClassVar = frozenset({"name", "typeSlug"})
    secrets: ClassVar = frozenset({"data"})

    def __init__(self, api: PrefectApi) -> None:
        self._api = api
        self._schemas: dict[str, dict[str, str]] = {}

    def problems(self, inputs: Properties, name: str) -> list[str]:
        """Refuse missing inputs and data that is no JSON, without quoting it."""
        problems = [
            f"Missing required argument. Examine values at '{name}.{key}'."
            for key in ("data", "typeSlug")
            if not inputs.get(key)
        ]
        if (data := inputs.get("data")) and not is_json(data, dict):
            problems.append(
                "Invalid JSON String Value. The string, which is not shown because it may hold "
                f"secrets, is no JSON object. Examine values at '{name}.data'."
            )
        return problems

    def desired(self, inputs: Properties, former: Properties) -> Properties:
        """A block is what its inputs say."""
        del former
        return inputs

    def comparable(self, state: Properties) -> Properties:
        """Compare data by meaning."""
        return {**state, "data": meaning(state.get("data", "null"))}

    def create(self, planned: Properties) -> tuple[str, Properties]:
        """Create a block of the newest schema of its type."""
        slug, name = planned["typeSlug"], planned["name"]
        schema = self._schema(slug)

        def made(moment: datetime) -> Value:
            named = {"name": {"any_": [name]}}
            of_type = {"block_type_id": {"any_": [schema["block_type_id"]]}}
            found = self._api.attempt(
                "POST", "/block_documents/filter", {"block_documents": named | of_type}
            )
            return made_since(found.body, moment)

        body = {"name": name, "data": meaning(planned["data"]), **schema}
        answer = self._api.write("POST", "/block_documents/", body, made)
        if answer.status == CONFLICT:
            raise ProviderError(
                f"The Prefect server already has a block {slug}/{name}. "
                "Import it with `pulumi import`, or give this one another name."
            )
        block = answer.body
        return block["id"], planned | {"id": block["id"], **timestamps(block)}

    def read(self, resource_id: str, state: Properties) -> Properties | None:
        """Read the block with its data in plain."""
        require_id(resource_id, "block")
        answer = self._api.read("GET", f"/block_documents/{resource_id}?include_secrets=true")
        if answer.status == NOT_FOUND:
            return None
        block = answer.body
        return {
            "id": block["id"],
            "name": block["name"],
            "typeSlug": block["block_type"]["slug"],
            "data": text_for(block["data"], state.get("data")),
            **timestamps(block),
        }

    def update(self, resource_id: str, planned: Properties, state: Properties) -> Properties:
        """Put the data in place of what is there."""
        del state
        path = f"/block_documents/{resource_id}"
        body = {
            "data": meaning(planned["data"]),
            "block_schema_id": self._schema(planned["typeSlug"])["block_schema_id"],
            "merge_existing_data": False,
        }
        require_found(self._api.write("PATCH", path, body), "block", resource_id)
        answer = self._api.read("GET", path)
        require_found(answer, "block", resource_id)
        return planned | timestamps(answer.body)

    def delete(self, resource_id: str, state: Properties) -> None:
        """Delete the block."""
        del state
        answer = self._api.write("DELETE", f"/block_documents/{resource_id}")
        require_deleted(answer, "block", resource_id)

    def found(self, arguments: Properties) -> Properties:
        """`prefect:index/getBlock:getBlock`, by id or by name and typeSlug."""
        block_id = arguments.get("id") or self._id(arguments["typeSlug"], arguments["name"])
        block = self.read(block_id, {})
        if block is None:
            raise ProviderError(f"The Prefect server has no block {block_id}.")
        return block

    def _id(self, slug: str, name: str) -> str:
        answer = self._api.read(
            "GET",
            f"/block_types/slug/{quote(slug, safe='')}/block_documents/name/{quote(name, safe='')}",
        )
        if answer.status == NOT_FOUND:
            raise ProviderError(f"The Prefect server has no block {slug}/{name}.")
        block_id: str = answer.body["id"]
        return block_id

    def _schema(self, slug: str) -> dict[str, str]:
        if slug not in self._schemas:
            answer = self._api.read("GET", f"/block_types/slug/{quote(slug, safe='')}")
            if answer.status == NOT_FOUND:
                raise ProviderError(
                    f"The Prefect server has no block type {slug!r}. `prefect block type ls` "
                    "lists those it has; `prefect block register` adds one."
                )
            wanted = {"block_schemas": {"block_type_id": {"any_": [answer.body["id"]]}}}
            newest = self._api.read("POST", "/block_schemas/filter", wanted).body[0]
            self._schemas[slug] = {
                "block_type_id": newest["block_type_id"],
                "block_schema_id": newest["id"],
            }
        return self._schemas[slug]
