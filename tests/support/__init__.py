"""What tests of real backups need: databases, buckets, the command, faults."""
