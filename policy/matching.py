"""Every automation acts on its own stack's runs and events, and counts each flow or run alone."""

from pulumi_policy import ReportViolation, ResourceValidationArgs, ResourceValidationPolicy

from alerting.plan import CompoundTrigger, EventTrigger
from alerting.plan.rules import Labels
from alerting.plan.triggers import EACH_FLOW
from alerting.plan.verdicts import SCOPE_LABEL, sentinel_resource
from policy.resources import AUTOMATION, stack_name, trigger_of

_ID, _NAME, _ROLE = "prefect.resource.id", "prefect.resource.name", "prefect.resource.role"
_TAG, _WORK_POOL = "prefect.tag.", "prefect.work-pool."


def _validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
    if args.resource_type != AUTOMATION:
        return
    trigger = trigger_of(args.props)
    if trigger is None:
        report_violation(
            f"{args.name}: its trigger is of a kind that no policy here can judge. Use an event or "
            "compound trigger, or teach policy/resources.py the kind.",
            None,
        )
        return
    events = trigger.triggers if isinstance(trigger, CompoundTrigger) else (trigger,)
    if not all(_is_own(event, stack_name(args.urn)) for event in events):
        report_violation(
            f"{args.name}: acts on runs or events of others. Match the tag in match_related (role "
            f"tag, id prefect.tag.<tag>), or the stack's own scope in the label {SCOPE_LABEL}.",
            None,
        )
    if isinstance(trigger, EventTrigger) and (problem := _miscounts(trigger)):
        report_violation(f"{args.name}: {problem}.", None)


def _is_own(trigger: EventTrigger, stack: str) -> bool:
    """Whether a trigger sees tagged runs, or what is the stack's, and nothing else."""
    ids = _values(trigger.match, _ID)
    if any(_is_tag(labels) for labels in trigger.match_related):
        return True
    if any(_is_scope(scope, stack) for scope in _values(trigger.match, SCOPE_LABEL)):
        return len(_values(trigger.match, SCOPE_LABEL)) == 1
    if any(_is_sentinel(each, stack) for each in ids):
        # What starts the watch over the sentinel is an automation, which its name alone tells.
        return len(ids) == 1 or _NAME in trigger.match
    # Work pools carry no tag.
    return bool(ids) and all(each.startswith(_WORK_POOL) for each in ids)


def _is_tag(labels: Labels) -> bool:
    ids = _values(labels, _ID)
    exact = all(each.startswith(_TAG) and "*" not in each for each in ids)
    return _values(labels, _ROLE) == ("tag",) and bool(ids) and exact


def _is_scope(scope: str, stack: str) -> bool:
    """Whether a scope is the stack's: its name, after a prefix where the stack has one."""
    exact = "*" not in scope and not scope.startswith("!")
    return exact and f".{scope}".endswith(f".{stack}")


def _is_sentinel(resource: str, stack: str) -> bool:
    prefix = sentinel_resource("")
    return resource.startswith(prefix) and _is_scope(resource.removeprefix(prefix), stack)


def _miscounts(trigger: EventTrigger) -> str | None:
    """Why a trigger would add up what does not belong together, None when it does not."""
    if not trigger.for_each:
        return (
            "counts all runs in one: the second flow that fails is not told. Set for_each, such "
            f"as {EACH_FLOW[0]} for each flow or {_ID} for each run"
        )
    if trigger.threshold > 1 and not set(EACH_FLOW) <= set(trigger.for_each):
        return (
            f"counts to {trigger.threshold}, but not by flow: one run fails once. Add "
            f"{EACH_FLOW[0]} to for_each"
        )
    return None


def _values(labels: Labels, name: str) -> tuple[str, ...]:
    value = labels.get(name, ())
    return (value,) if isinstance(value, str) else value


POLICY = ResourceValidationPolicy(
    "matched-and-keyed",
    "An automation acts on tagged runs or on its own stack's events, each flow or run counted "
    "alone: stacks and teams share a workspace, and one flow's failures must not hide another's.",
    _validate,
)
