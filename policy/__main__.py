"""What the engine starts with `--policy-pack policy`."""

import sys
from pathlib import Path

# The engine starts the pack with this folder, not the project's root, on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pulumi_policy import EnforcementLevel, PolicyPack

from policy.pack import POLICIES

PolicyPack("data-alerts", policies=POLICIES, enforcement_level=EnforcementLevel.MANDATORY)
