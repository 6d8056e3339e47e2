"""A real PostgreSQL and a local AWS on this machine, for the demo, the tests and the benchmark."""
