"""Kills what keeps the alerting right, again and again, and counts what goes wrong."""
