"""What a stack is configured with, and the one parser of it.

`alerting.settings.stackfile` is not imported here: the Pulumi program reads no YAML.
"""

from alerting.settings.encrypted import Encrypted
from alerting.settings.models import Environment, SecretSource, Settings
from alerting.settings.parser import parse_settings
from alerting.settings.problems import PROJECT, Problem, SettingsError

__all__ = [
    "PROJECT",
    "Encrypted",
    "Environment",
    "Problem",
    "SecretSource",
    "Settings",
    "SettingsError",
    "parse_settings",
]
