"""Every check, in the order of likelihood, and none before what it rests on."""

from alerting.doctor import access, resources, server, versions
from alerting.doctor.deployment import Deployment
from alerting.doctor.findings import Check

_FILE, _LOGIN, _PREFECT, _AWS = "stack file", "Prefect credentials", "Prefect", "AWS"

CHECKS: tuple[Check[Deployment], ...] = (
    Check(_FILE, "it is right", access.stack_file),
    Check(_LOGIN, "they are there", access.prefect_credentials, (_FILE,)),
    Check(_PREFECT, "it answers", access.prefect_answers, (_FILE, _LOGIN)),
    # Before AWS, which refuses requests of a wrong time.
    Check("clocks", "they agree", access.clocks_agree, (_PREFECT,)),
    Check(_AWS, "Secrets Manager answers", access.aws_answers, (_FILE,)),
    Check("backend", "the stack's state is there", access.backend_answers, (_FILE,)),
    Check("Prefect's version", "it is new enough", versions.prefect_is_new_enough, (_PREFECT,)),
    Check("packages", "they are the locked ones", versions.packages_are_locked_ones),
    Check("secrets", "all can be read", resources.secrets_are_readable, (_AWS,)),
    Check("blocks", "all resolve", resources.blocks_resolve, (_PREFECT,)),
    Check(
        "blocks' secrets",
        "they are those of Secrets Manager",
        resources.blocks_hold_the_secrets,
        (_PREFECT, _AWS),
    ),
    Check("automations", "all are as planned", resources.automations_are_as_planned, (_PREFECT,)),
    Check("sentinel", "it is heard", resources.sentinel_is_heard, (_PREFECT,)),
    Check("PREFECT_UI_URL", "it is set", server.server_knows_its_address, (_PREFECT,)),
    Check("server settings", "they are right", server.server_acts_on_events, (_PREFECT,)),
)
