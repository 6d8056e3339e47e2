#!/usr/bin/env bash
# Back the database up, verify the backup, and remove old ones: into backups/, or as the options say.
#   scripts/backup-database.sh [--tier pre-migration] [--directory DIR | --bucket BUCKET] [--json]
# The connection comes from the environment or from .env: POSTGRES_HOST, _PORT, _USER, _PASSWORD, _DB, or DATABASE_URL.
set -euo pipefail
# shellcheck source=SCRIPTDIR/dbbackup.sh
. "$(dirname "${BASH_SOURCE[0]}")/dbbackup.sh"
exec "$dbbackup" backup "$@"
