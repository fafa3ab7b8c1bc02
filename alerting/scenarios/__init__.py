"""Scenario tests: what a stack's rules tell whom, and when, without a server."""
