"""What a plugin tells the user when it cannot do what was asked."""


class ProviderError(Exception):
    """One clear sentence or two: what failed, where, and what to do. Never holds a secret."""
