"""What can be seen: the state of the pipelines, and of the alerting that watches them."""
