"""Whether what the plan asks for is in AWS and Prefect as planned, and the sentinel lives."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from alerting.adoption.differences import automation_differences, block_differences
from alerting.adoption.workspace import found_automations, slug_of
from alerting.doctor.deployment import Deployment
from alerting.doctor.findings import NotMadeError, Trouble
from alerting.plan import AutomationRule, BlockRule
from alerting.plan.documents import held
from alerting.plan.verdicts import HEARTBEAT_EVENT, sentinel_resource
from alerting.secrets.declared import DeclaredSecret
from alerting.secrets.errors import SecretsError
from alerting.secrets.secrets_manager import Presence
from alerting.secrets.values import same
from alerting.sentinel.texts import readable
from alerting.sentinel.workspace import PERSISTED_SECONDS
from alerting.settings import SecretSource
from alerting.settings.secret_values import secret_value_problem

_DANGLING = "block_document_id"


def secrets_are_readable(deployment: Deployment) -> Iterator[Trouble]:
    """Secrets that are not there, cannot be read, or hold what no channel takes."""
    for secret in deployment.secrets:
        try:
            stored = deployment.secrets_manager.stored(secret.name)
            if stored.presence is Presence.PRESENT:
                value = deployment.secrets_manager.current(secret.name)
                text = value.get_secret_value() if value else ""
                problem = secret_value_problem(secret.rule.kind, text)
            else:
                problem = f"is {stored.in_words}"
        except SecretsError as error:
            yield Trouble.of(error, "log in as for a deployment")
            continue
        if problem:
            remedy = _refill(deployment, secret, stored.presence)
            yield Trouble(f"secret {secret.name} {problem}", remedy)


def blocks_resolve(deployment: Deployment) -> Iterator[Trouble]:
    """Blocks that are missing, of another type, or with other settings."""
    missing = [rule for rule in deployment.plan.blocks if rule.slug not in deployment.blocks]
    others = _of_other_types(deployment, missing)
    for rule in missing:
        other = f": there is {others[rule.name]} in its place" if rule.name in others else ""
        yield Trouble(f"block {rule.slug} is missing{other}", deployment.deploy)
    for rule in deployment.plan.blocks:
        stored = deployment.blocks.get(rule.slug)
        if stored and (changed := _changed_fields(rule, stored)):
            yield Trouble(f"block {rule.slug} differs in {', '.join(changed)}", deployment.deploy)


def blocks_hold_the_secrets(deployment: Deployment) -> Iterator[Trouble]:
    """Blocks that send with another secret than Secrets Manager holds."""
    for secret in deployment.secrets:
        value = deployment.value(secret)
        for field in secret.fields:
            block = deployment.blocks.get(str(field))
            there = held(block["data"], field.field) if block else None
            if value is None or there is None:
                continue  # told already
            if set(str(there)) == {"*"}:
                raise NotMadeError("the credentials for Prefect may not read blocks' secrets")
            if not same(SecretStr(str(there)), value):
                text = f"block {field} holds another value than secret {secret.name}"
                yield Trouble(text, deployment.deploy)


def automations_are_as_planned(deployment: Deployment) -> Iterator[Trouble]:
    """Automations that are missing, doubled, switched off or changed, and the stack's old ones."""
    stored = {each["name"]: each for each in deployment.automations}
    rules = {rule.name: rule for rule in deployment.plan.automations}
    if missing := [name for name in rules if name not in stored]:
        yield Trouble(f"missing: {_listed(missing)}", deployment.deploy)
    for name, count in Counter(each["name"] for each in deployment.automations).items():
        if name in rules and count > 1:
            remedy = "delete all but one: prefect automation delete --id ID"
            yield Trouble(f"{count} automations are named {name!r}: people are told twice", remedy)
    # Those that are planned switched off are the standby's, which are switched at run time.
    off = [n for n, r in rules.items() if n in stored and r.enabled and not stored[n]["enabled"]]
    if off:
        remedy = f"prefect automation resume NAME, or {deployment.deploy}"
        yield Trouble(f"switched off: {_listed(off)}", remedy)
    for name, rule in rules.items():
        if name in stored and (changed := _changed(deployment, rule, stored[name])):
            yield Trouble(f"{name!r} differs in {', '.join(changed)}", deployment.deploy)
    for found in found_automations(deployment.automations):
        if found.stack == deployment.plan.stack and found.name not in rules:
            text = f"{found.name!r} carries the stack's mark and is planned no more"
            yield Trouble(text, f"prefect automation delete --id {found.id}")


def sentinel_is_heard(deployment: Deployment) -> Iterator[Trouble]:
    """No heartbeat, or none for longer than the settings take for silence."""
    sentinel = deployment.plan.published.sentinel
    if sentinel is None:
        raise NotMadeError("Prefect's own triggers judge here")
    query = {
        "event": {"name": [HEARTBEAT_EVENT]},
        "resource": {"id": [sentinel_resource(sentinel.scope)]},
        "order": "DESC",
    }
    reply = deployment.prefect.filter("/events/filter", {"filter": query, "limit": 1})
    remedy = "start it: alertctl sentinel run. Where it runs, its log says what it cannot do"
    if not reply.document["events"]:
        yield Trouble("the sentinel was never heard of", remedy)
        return
    heard = datetime.fromisoformat(reply.document["events"][0]["occurred"])
    now = datetime.now(UTC) + (reply.ahead or timedelta(0))
    if now - heard > sentinel.silent_for + timedelta(seconds=PERSISTED_SECONDS):
        yield Trouble(f"the sentinel was last heard of at {readable(heard)}", remedy)


def _refill(deployment: Deployment, secret: DeclaredSecret, presence: Presence) -> str:
    if presence is Presence.SCHEDULED:
        return f"aws secretsmanager restore-secret --secret-id {secret.name}"
    if secret.source is SecretSource.SECRETS_MANAGER:
        return f"alertctl secrets put {secret.key} --stack {deployment.found.stack}, then deploy"
    return f"deploy with the value from the {secret.comes_from}: {deployment.deploy}"


def _of_other_types(deployment: Deployment, missing: Iterable[BlockRule]) -> dict[str, str]:
    """The slugs of blocks that bear a missing one's name, by name."""
    names = sorted(rule.name for rule in missing)
    if not names:
        return {}
    query = {"block_documents": {"name": {"any_": names}}}
    found = deployment.prefect.filter("/block_documents/filter", query).document
    return {block["name"]: slug_of(block) for block in found}


def _changed_fields(rule: BlockRule, stored: Mapping[str, Any]) -> list[str]:
    return [
        each.field for each in block_differences(rule, stored) if each.field not in rule.secrets
    ]


def _changed(deployment: Deployment, rule: AutomationRule, stored: Mapping[str, Any]) -> list[str]:
    slugs = {block["id"]: slug for slug, block in deployment.blocks.items()}
    slugs |= {block.key: block.slug for block in deployment.plan.blocks}
    names = {each["id"]: each["name"] for each in deployment.automations}
    names |= {each.key: each.name for each in deployment.plan.automations}
    # A block that is missing is told by itself, and so is what is switched off.
    lost = len(deployment.blocks) < len(deployment.plan.blocks)
    return [
        each.field
        for each in automation_differences(rule, stored, slugs, names)
        if each.field != "enabled" and not (lost and each.field.endswith(_DANGLING))
    ]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
