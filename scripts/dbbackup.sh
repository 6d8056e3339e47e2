# shellcheck shell=bash
# Sourced by the scripts beside it: finds the command and the connection of this checkout.
# Values of the environment win over those in .env, so `POSTGRES_DB=scratch scripts/...` changes just that.

if [ -f .env ]; then
  while IFS='=' read -r name value; do
    case $name in
      *[!A-Z0-9_]*) ;; # no variable of ours; a comment, perhaps
      # All that the command and the SDK of AWS read. An application's own names are not ours to set.
      POSTGRES_* | PG* | DATABASE_URL | S3_BACKUP_BUCKET | RETENTION_DAYS | BACKUP_* | DBBACKUP_* | SLACK_* | AWS_* | TMPDIR)
        value=${value%$'\r'}
        case $value in
          \"*\") value=${value#\"} value=${value%\"} ;;
          \'*\') value=${value#\'} value=${value%\'} ;;
        esac
        [ -n "${!name+set}" ] || export "$name=$value"
        ;;
    esac
  done <.env
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # dbbackup is for the script that sources this
if [ -x "$root/.venv/bin/dbbackup" ]; then
  dbbackup=$root/.venv/bin/dbbackup
elif ! dbbackup=$(command -v dbbackup); then
  echo "❌ The command dbbackup is not installed. Run 'make setup' in $root, or 'pip install $root/lambda_src'." >&2
  exit 1
fi
