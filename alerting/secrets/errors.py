"""What ends a command on secrets."""


class SecretsError(Exception):
    """What was asked is impossible; the text says in one line what to do, and holds no value."""


class RotationStoppedError(SecretsError):
    """A rotation stopped on its way and waits to be resumed; the old value is kept."""
