"""What is in AWS and Prefect before a stack is deployed, and which of it becomes the stack's."""
