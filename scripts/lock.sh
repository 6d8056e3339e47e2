#!/usr/bin/env bash
# Compiles the dependencies named in the two pyproject.toml files into the pinned requirements files.
# Only a maintainer who changes a dependency runs this; needs uv (pip install uv).
set -euo pipefail
cd "$(dirname "$0")/.."

compile() { uv pip compile --quiet --no-header --no-annotate --universal --python-version 3.11 "$@"; }

everything=$(mktemp)
trap 'rm -f "$everything"' EXIT
compile pyproject.toml lambda_src/pyproject.toml --extra dev >"$everything"

write() { # FILE, HEADING, then what it includes; the pins arrive on standard input
  local file=$1 heading=$2
  shift 2
  { echo "# $heading"; echo "# Written by scripts/lock.sh from pyproject.toml; change that, not this."; printf '%s\n' "$@"; cat; } >"$file"
}

runtime=$(compile lambda_src/pyproject.toml --constraint "$everything")
infra=$(compile pyproject.toml --constraint "$everything" | grep -vxF "$runtime" || true)
dev=$(grep -vxF -e "$runtime" "$everything" | grep -vxF -e "$infra")

write lambda_src/requirements.txt "What the backup software needs at run time; the container image installs this." <<<"$runtime"
write requirements.txt "What cdk synth and cdk deploy need." "-r lambda_src/requirements.txt" "-e ./lambda_src" <<<"$infra"
write requirements-dev.txt "What the demo, the tests and the benchmark need besides." "-r requirements.txt" <<<"$dev"
