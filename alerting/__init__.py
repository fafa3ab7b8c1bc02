"""Alerting for Prefect pipelines: settings, the plan made from them, and the tools that read it."""
