"""The policy pack: what the engine holds each preview and deployment to. Nothing imports it."""
