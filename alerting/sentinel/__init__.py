"""The sentinel: follows the runs of a workspace, knows their history, and announces verdicts."""
