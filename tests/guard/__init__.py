"""Migrations under the guard of a backup, and their receipts."""
