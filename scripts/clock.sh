#!/usr/bin/env bash
# What time alone makes true: every quarter of an hour raise the flags for missing ratings, and delete
# the sessions of browsers that are past and the files that nobody imported. Each minute go on with flags that have to
# be computed again because the clinic changed a rule. Every five minutes seal the new lines of the access log. Once a
# day compare a sample of what is stored with a fresh conclusion, and the access log with its seals; that also prints
# the head of the seals, for whoever keeps it elsewhere. One of these runs beside the site.
set -euo pipefail
cd "$(dirname "$0")/.."
trap 'kill $(jobs -p) 2>/dev/null || true; exit 0' TERM INT # what runs beside ends too

while true; do
  python manage.py raise_missing
  python manage.py clearsessions
  python manage.py remove_import_files
  if [ "$(date +%F)" != "${checked_on:-}" ]; then
    python manage.py check_standings
    checked_on=$(date +%F)
  fi
  quarter_is_over=$((SECONDS + ${CLOCK_SECONDS:-900}))
  while true; do
    python manage.py recompute_flags --pending
    date >"${TMPDIR:-/tmp}/clock" # scripts/healthy.py looks at its age
    if ((SECONDS >= ${seal_at:-0})); then
      python manage.py audit_seal
      seal_at=$((SECONDS + 300))
    fi
    if [ "$(date +%F)" != "${verified_on:-}" ]; then
      python manage.py audit_verify & # it may read for minutes, and what it finds stops nothing else
      verified_on=$(date +%F)
    fi
    ((SECONDS < quarter_is_over)) || break
    sleep 60 &
    wait $! # unlike a plain sleep, this lets a stop through at once
  done
done
