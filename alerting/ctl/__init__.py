"""The command `alertctl`."""
