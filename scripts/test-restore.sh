#!/usr/bin/env bash
# The monthly restore test: the newest backup into a scratch database, checked against its manifest, and removed.
#   scripts/test-restore.sh [--check 'SELECT count(*) FROM "User"'] [--directory DIR | --bucket BUCKET]
# Exit status 0 only if it could be restored. Evidence is kept beside the backups.
set -euo pipefail
# shellcheck source=SCRIPTDIR/dbbackup.sh
. "$(dirname "${BASH_SOURCE[0]}")/dbbackup.sh"
exec "$dbbackup" drill "$@"
