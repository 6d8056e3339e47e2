"""What the software does, written against the ports in :mod:`dbbackup.core.ports`."""
