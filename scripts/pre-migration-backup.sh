#!/usr/bin/env bash
# Back the database up and verify it before a migration; then run the migration, which does not run without the backup.
#   scripts/pre-migration-backup.sh [--directory DIR | --bucket BUCKET] [--commit SHA] [-- COMMAND...]
# The connection comes from the environment or from .env: POSTGRES_HOST, _PORT, _USER, _PASSWORD, _DB, or DATABASE_URL.
set -euo pipefail
# What .env says is for the backup: the command gets the environment that we were given.
given=" $(compgen -e | tr '\n' ' ') "
# shellcheck source=SCRIPTDIR/dbbackup.sh
. "$(dirname "${BASH_SOURCE[0]}")/dbbackup.sh"
for word in "$@"; do
  if [ "$word" = -- ]; then
    withheld=()
    for name in $(compgen -e); do
      case $given in *" $name "*) ;; *) withheld+=(--withhold "$name") ;; esac
    done
    # The way back is printed for this folder, whose .env it needs, and for a shell that need not know dbbackup.
    # shellcheck disable=SC2154 # root is of the file sourced above
    exec "$dbbackup" guard --restore-with "$root/scripts/restore-database.sh" ${withheld[@]+"${withheld[@]}"} "$@"
  fi
done
exec "$dbbackup" backup --tier pre-migration "$@"
