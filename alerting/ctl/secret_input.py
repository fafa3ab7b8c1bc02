"""A secret's value from a hidden prompt or a pipe: never an argument, never echoed."""

import hmac
import sys
from getpass import getpass

import typer
from pydantic import SecretStr

from alerting.secrets.declared import DeclaredSecret
from alerting.secrets.errors import SecretsError
from alerting.secrets.values import checked


class GivenValue:
    """The value that somebody types or pipes in for a secret, read once and only when needed."""

    def __init__(self, secret: DeclaredSecret) -> None:
        """For that secret, whose rules it is held to."""
        self._secret = secret
        self._piped: str | None = None

    def required(self) -> SecretStr:
        """The value. Raises SecretsError when none comes, or one that the secret cannot have."""
        text = self._prompt() if sys.stdin.isatty() else self._pipe()
        if not text:
            raise SecretsError("no value came through the pipe: does the command before it work?")
        return checked(self._secret, SecretStr(text))

    def offered(self) -> SecretStr | None:
        """The value if one is piped in; nobody is asked for it."""
        text = "" if sys.stdin.isatty() else self._pipe()
        return checked(self._secret, SecretStr(text)) if text else None

    def _prompt(self) -> str:
        # Not typer's prompt: it shows what is typed between the question and turning that off.
        while True:
            text = getpass(f"New value of {self._secret.key} (not shown): ")
            if not text:
                continue
            if hmac.compare_digest(text.encode(), getpass("The same again: ").encode()):
                return text
            typer.echo("secrets: these were two different values", err=True)

    def _pipe(self) -> str:
        if self._piped is None:
            try:
                text = sys.stdin.buffer.read().decode()
            except UnicodeDecodeError:
                # Its own text shows the bytes.
                raise SecretsError("what came through the pipe is not UTF-8 text") from None
            self._piped = text.removesuffix("\n").removesuffix("\r")
        return self._piped


class NothingGiven(GivenValue):
    """With --resume: what is on stdin is only read where the rotation cannot do without."""

    def offered(self) -> SecretStr | None:
        """No value."""
        return None
