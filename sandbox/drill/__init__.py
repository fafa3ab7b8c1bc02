"""Real pipelines made to fail in the sandbox, and what arrived compared with what should."""
