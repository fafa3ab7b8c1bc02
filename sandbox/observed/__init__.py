"""What the view of a large workspace costs its server, measured on runs that were made up."""
