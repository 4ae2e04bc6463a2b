#!/usr/bin/env bash
# Start the site: bring the database up to date, then become the web server. The compose file's web
# service runs this, and so can any other supervisor; python and granian are taken from PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

python manage.py migrate --no-input --verbosity 0

# Threads match the database pool (DATABASE_POOL, 4): a fifth would only wait for a connection.
exec granian --interface wsgi --no-ws \
  --host "${HOST:-127.0.0.1}" --port "${PORT:-8000}" \
  --workers "${WORKERS:-2}" --blocking-threads "${DATABASE_POOL:-4}" \
  --respawn-failed-workers --workers-kill-timeout 20 --log-level warning \
  alliance.wsgi:application
