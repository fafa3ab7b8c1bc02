"""Drills that are safe in production: the alerting is tried, and nobody is told of a failure."""
