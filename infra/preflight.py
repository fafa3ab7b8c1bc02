"""What is there before the first thing is made: Prefect makes a second automation of a name."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi
import pulumi_aws as aws
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto.resource_pb2 import ResourceInvokeRequest
from pulumi.runtime.rpc import deserialize_properties
from pulumi.runtime.settings import get_monitor

from alerting.adoption.claims import Claims, Ids, Knowledge, RefusedError, claims
from alerting.adoption.things import Found, Kind, wanted_of
from alerting.adoption.workspace import WorkspaceError, found_automations, found_blocks
from alerting.plan import SecretRule
from alerting.plan.ownership import stack_of_tags
from alerting.settings import PROJECT
from infra.configuration import Configuration

_MOST_FILTER_VALUES = 10
_BEING_WRITTEN = "failed to load checkpoint"
_READS, _SECONDS_BETWEEN_READS = 20, 0.05


def preflight(configuration: Configuration, in_aws: aws.Provider) -> Claims:
    """What becomes the stack's of that which is there.

    A request for automations, one for blocks and one for ten secrets; the engine reads the state.
    Raises RunError, before anything is made, when something is another's or Prefect does not
    answer.
    """
    plan = configuration.plan
    # Beside what AWS is asked, which waits for the engine to start its plugin.
    with ThreadPoolExecutor(max_workers=1) as beside:
        in_prefect = beside.submit(found_in_prefect, configuration)
        try:
            knowledge = _knowledge(configuration)
            found = [*_found_in_aws(plan.secrets, knowledge, in_aws), *in_prefect.result()]
            return claims(wanted_of(plan), found, knowledge)
        except (RefusedError, WorkspaceError) as error:
            raise pulumi.RunError(str(error)) from None


def _knowledge(configuration: Configuration) -> Knowledge:
    plan = configuration.plan
    return Knowledge(
        stack=plan.stack,
        deployed=_deployed(),
        adopted=configuration.adopted,
        # Put there for the stack to read: whoever made it.
        shared=frozenset(
            rule.key for rule in plan.secrets if rule.key not in configuration.brought
        ),
    )


def found_in_prefect(configuration: Configuration) -> list[Found]:
    """Blocks and automations of the plan's names. Tests put their own in place of this."""
    plan, workspace = configuration.plan, configuration.workspace
    adopted = configuration.adopted.get(Kind.AUTOMATION, {}).values()
    automations = workspace.automations((rule.name for rule in plan.automations), adopted)
    blocks = workspace.blocks(block.slug for block in plan.blocks)
    return [*found_automations(automations), *found_blocks(blocks, plan.settings_slug)]


def _deployed() -> Ids:
    """The ids that the last finished deployment put out; the engine reads them from its state."""
    outputs = _outputs()
    by_tier = outputs.get("automationIds") or {}
    return {
        Kind.SECRET: outputs.get("secretArns") or {},
        Kind.BLOCK: outputs.get("blockIds") or {},
        Kind.AUTOMATION: {key: i for tier in by_tier.values() for key, i in tier.items()},
    }


def _outputs() -> Mapping[str, Any]:
    name = f"{pulumi.get_organization()}/{PROJECT}/{pulumi.get_stack()}"
    arguments = Struct()
    arguments.update({"name": name})
    # Not by `invoke`, which lets the program fail at its end for a question that failed once.
    engine = get_monitor()
    if engine is None:
        raise AssertionError("a program is run by an engine")
    request = ResourceInvokeRequest(tok="pulumi:pulumi:readStackOutputs", args=arguments)
    for reads_left in reversed(range(_READS)):
        try:
            answer = engine.Invoke(request)
            break
        except Exception as error:
            # A state in a file is not replaced in one piece, and the engine is writing it by now.
            if not reads_left or _BEING_WRITTEN not in str(error):
                raise
            time.sleep(_SECONDS_BETWEEN_READS)
    if answer.failures:
        raise pulumi.RunError(f"The state cannot be read: {answer.failures[0].reason}")
    return deserialize_properties(getattr(answer, "return")).get("outputs") or {}


def _found_in_aws(
    rules: Sequence[SecretRule], knowledge: Knowledge, provider: aws.Provider
) -> Iterator[Found]:
    options = pulumi.InvokeOptions(provider=provider)
    known = {*knowledge.deployed[Kind.SECRET].values()}
    for start in range(0, len(rules), _MOST_FILTER_VALUES):
        some = rules[start : start + _MOST_FILTER_VALUES]
        named = [rule.name for rule in some]
        filters = [aws.secretsmanager.GetSecretsFilterArgs(name="name", values=named)]
        arns = aws.secretsmanager.get_secrets(filters=filters, opts=options).arns
        for rule in some:
            arn = _arn_of(rule.name, arns)
            if arn is None:
                continue
            asked = arn not in known and rule.key not in knowledge.shared
            tags = aws.secretsmanager.get_secret(arn=arn, opts=options).tags if asked else {}
            yield Found(Kind.SECRET, arn, rule.name, stack_of_tags(tags))


def _arn_of(name: str, arns: Sequence[str]) -> str | None:
    """The ARN of exactly this name, to which AWS appends a dash and six characters."""
    ending = re.compile(rf":secret:{re.escape(name)}-[A-Za-z0-9]{{6}}$")
    return next((arn for arn in arns if ending.search(arn)), None)
