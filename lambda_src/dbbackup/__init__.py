"""Verified PostgreSQL backups: one package, run as a Lambda function and as the command `dbbackup`."""
