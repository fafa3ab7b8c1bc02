"""Components that turn the plan's rules into resources."""
