"""What builds and deploys the project besides the program itself."""
