#!/usr/bin/env bash
# Start the site: bring the database up to date, look whether it may serve, then serve. The compose file's web service
# runs this, and so does the unit for systemd. Several may start at once: one brings the database up to date, the
# others wait for it.
# PORT, WORKERS and DATABASE_POOL are read from the environment, else from .env. Python is taken from PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

python manage.py migrate_in_turn
unset DATABASE_OWNER_URL # the server must not be able to change a table
python manage.py doctor --start
exec python -m alliance.operations.serving
