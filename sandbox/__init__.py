"""The sandbox: everything the alerts need, real or stood in for, on one machine."""
