"""Everything that touches the world: PostgreSQL, its client programs, S3, Secrets Manager, the disk."""
