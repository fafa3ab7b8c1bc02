"""What is wrong with a stack that is deployed, the cause before what follows from it."""
