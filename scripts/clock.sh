#!/usr/bin/env bash
# What time alone makes true: every quarter of an hour raise the flags for missing ratings, and delete
# the sessions of browsers that are past. One of these runs beside the site.
set -euo pipefail
cd "$(dirname "$0")/.."
trap 'exit 0' TERM INT

while true; do
  python manage.py raise_missing
  python manage.py clearsessions
  date >"${TMPDIR:-/tmp}/clock" # scripts/healthy.py looks at its age
  sleep "${CLOCK_SECONDS:-900}" &
  wait $! # unlike a plain sleep, this lets a stop through at once
done
