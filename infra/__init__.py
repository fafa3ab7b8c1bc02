"""The Pulumi program. Nothing imports it: Pulumi runs it, and so does the sandbox."""
