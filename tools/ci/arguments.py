"""What every step of a stack is told."""

import argparse


def stack_argument(description: str | None) -> str:
    """The stack that `--stack` names; `description` is the help, a module's own docstring."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--stack", required=True, help="the stack's name")
    return str(parser.parse_args().stack)
