"""All policies, in the order in which they are told of."""

from pulumi_policy import Policy

from policy import matching, ownership, pages, plain_secrets, production

POLICIES: list[Policy] = [
    plain_secrets.POLICY,
    matching.POLICY,
    *pages.POLICIES,
    *ownership.POLICIES,
    *production.POLICIES,
]
