"""Pure decisions: names, command lines, sizes, manifests. No AWS, no process, no database."""
