#!/usr/bin/env bash
# Restore a backup into the database that POSTGRES_DB names, which is backed up first and replaced only at the end.
#   scripts/restore-database.sh backups/ftry_backup_20250111_020000.dump [--yes] [--to DATABASE] [--plan]
# The connection comes from the environment or from .env: POSTGRES_HOST, _PORT, _USER, _PASSWORD, _DB, or DATABASE_URL.
set -euo pipefail
# shellcheck source=SCRIPTDIR/dbbackup.sh
. "$(dirname "${BASH_SOURCE[0]}")/dbbackup.sh"
exec "$dbbackup" restore "$@"
