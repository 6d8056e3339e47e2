#!/usr/bin/env bash
# Install PostgreSQL's client programs of one major version on a Debian or Ubuntu runner, from PostgreSQL's own packages.
#   scripts/install-postgres-client.sh 18
# pg_dump refuses a server that is newer than itself, and a distribution has one major only.
# https://wiki.postgresql.org/wiki/Apt
set -euo pipefail
major=${1:-}
case $major in
  [1-9][0-9]) ;;
  *)
    echo "❌ '$major' is no major version of PostgreSQL. Nothing was installed. Give a number such as 18." >&2
    exit 2
    ;;
esac
bindir=/usr/lib/postgresql/$major/bin
if [ ! -x "$bindir/pg_dump" ]; then
  sudo apt-get update --quiet --quiet
  sudo apt-get install --yes --quiet --quiet postgresql-common
  sudo /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y
  sudo apt-get install --yes --quiet --quiet "postgresql-client-$major"
fi
"$bindir/pg_dump" --version
[ -z "${GITHUB_ENV:-}" ] || echo "PG_BINDIR=$bindir" >>"$GITHUB_ENV"
