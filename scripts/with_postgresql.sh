#!/usr/bin/env bash
# Run a command beside a PostgreSQL server that is thrown away afterwards.
#
#     scripts/with_postgresql.sh COMMAND [ARGUMENT...]
#
# The server listens on 127.0.0.1 alone, on a free port, with a random password; the command finds it in
# DATABASE_URL. It is stopped and deleted whatever happens to the command. Exits with 127 where no
# PostgreSQL server is installed. POSTGRESQL_OPTIONS: more options for the server, such as "-c jit=off".
set -euo pipefail

newest() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }
initdb=$(command -v initdb || ls "$(newest)/initdb" 2>/dev/null || true)
if [ -z "$initdb" ]; then
  echo "No PostgreSQL server is installed here (Debian and Ubuntu: apt-get install postgresql)." >&2
  exit 127
fi
bin=$(dirname "$(readlink -f "$initdb")")

# The server refuses to run as root.
as_server() { "$@"; }
if [ "$(id -u)" = 0 ]; then as_server() { runuser -u postgres -- "$@"; }; fi

folder=$(mktemp -d)
stop() {
  status=$?
  trap - EXIT INT TERM HUP
  as_server "$bin/pg_ctl" --pgdata "$folder/data" --mode immediate --silent stop >/dev/null 2>&1 || true
  rm -rf "$folder"
  exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

password=$(python3 -c 'import secrets; print(secrets.token_hex(16))')
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf '%s' "$password" >"$folder/password"
if [ "$(id -u)" = 0 ]; then chown -R postgres "$folder"; fi

cd "$folder" # the server's user may not be able to read the folder this was called from
as_server "$bin/initdb" --pgdata "$folder/data" --username alliance --pwfile "$folder/password" \
  --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8 --no-sync >"$folder/log"
# fsync, full_page_writes, synchronous_commit off: nothing here outlives the command. jit=off: compiling a query costs
# more than running it on the few rows of a test. lock_timeout: who waits so long here waits for ever.
as_server "$bin/pg_ctl" --pgdata "$folder/data" --log "$folder/server.log" --wait --silent --options \
  "-p $port -k $folder -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c jit=off -c max_connections=100 -c lock_timeout=60s ${POSTGRESQL_OPTIONS:-}" start >/dev/null || {
  cat "$folder/server.log" >&2
  exit 1
}
PGPASSWORD=$password "$bin/createdb" --host 127.0.0.1 --port "$port" --username alliance alliance
cd "$OLDPWD"
export THROW_AWAY_DATABASE=yes # tests may do to this one what they like
export DATABASE_URL="postgres://alliance:$password@127.0.0.1:$port/alliance"
"$@"
