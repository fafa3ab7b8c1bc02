"""Silences as a Prefect workspace keeps them: read, added, ended."""
