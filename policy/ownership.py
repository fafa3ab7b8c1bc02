"""Descriptions, owners and runbooks: who is woken must know by what, whom to ask, what to do."""

from pulumi_policy import (
    EnforcementLevel,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from alerting.plan.ownership import stack_of, stack_of_tags, unmarked
from alerting.plan.published import PublishedPipeline
from alerting.settings import Settings
from policy.resources import AUTOMATION, SECRET, is_production, known, published_of

_NOBODY = Settings.model_fields["default_owner"].default


def _described(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
    if args.resource_type not in {AUTOMATION, SECRET}:
        return
    description = known(args.props, "description", "")
    if not unmarked(description).strip():
        report_violation(f"{args.name}: has no description. Say what it tells, and of what.", None)
    in_tags = args.resource_type == SECRET
    if not (stack_of_tags(known(args.props, "tags", {})) if in_tags else stack_of(description)):
        report_violation(
            f"{args.name}: does not say which stack it is of, so a lost state would leave it to "
            "nobody. "
            + ("Tag it with" if in_tags else "End its description with")
            + " the mark of alerting.plan.ownership.",
            None,
        )


def _owned(args: StackValidationArgs, report_violation: ReportViolation) -> None:
    published = published_of(args.resources)
    if published is None:
        report_violation(
            "The stack publishes no settings, so neither hooks nor policies know its pipelines. "
            "Deploy the block that the plan has for them.",
            None,
        )
        return
    for pipeline in published.pipelines:
        if pipeline.owner.strip() in {"", _NOBODY}:
            report_violation(
                f"{pipeline.name}: has no owner. Name the team in data-alerts:pipelines.", None
            )
    if published.default_owner.strip() in {"", _NOBODY} and is_production(published):
        report_violation(
            "Flows with the tag that are not listed have no owner. Name the team that looks after "
            "them in data-alerts:defaultOwner.",
            None,
        )


def _runbooks(args: StackValidationArgs, report_violation: ReportViolation) -> None:
    for pipeline, required in _without_runbook(args):
        if required:
            report_violation(
                f"{pipeline.name}: wakes people and has no runbook. Add `runbook` to it in "
                "data-alerts:pipelines, or take `escalate` away.",
                None,
            )


def _runbooks_advised(args: StackValidationArgs, report_violation: ReportViolation) -> None:
    for pipeline, required in _without_runbook(args):
        if not required:
            report_violation(
                f"{pipeline.name}: has no runbook. Add `runbook` to it in data-alerts:pipelines.",
                None,
            )


def _without_runbook(args: StackValidationArgs) -> list[tuple[PublishedPipeline, bool]]:
    """Pipelines without a runbook, each with whether it must have one."""
    published = published_of(args.resources)
    if published is None:
        return []
    production = is_production(published)
    return [(p, production and p.escalate) for p in published.pipelines if not p.runbook]


POLICIES = [
    ResourceValidationPolicy(
        "described",
        "Automations and secrets say what they are for and whose they are: they are read by "
        "whoever is woken, in a workspace that many share.",
        _described,
    ),
    StackValidationPolicy(
        "pipelines-owned",
        "Each pipeline has an owner: a message that names nobody is answered by nobody.",
        _owned,
    ),
    StackValidationPolicy(
        "runbooks",
        "In production a pipeline that wakes people has a runbook: nobody remembers at night.",
        _runbooks,
    ),
    StackValidationPolicy(
        "runbooks-advised",
        "Each pipeline should have a runbook.",
        _runbooks_advised,
        enforcement_level=EnforcementLevel.ADVISORY,
    ),
]
