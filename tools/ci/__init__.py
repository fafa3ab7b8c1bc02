"""The steps of the workflows in .github. Each runs and is tested without GitHub, too."""
