#!/usr/bin/env bash
# Make the roles of the site and its database, in PostgreSQL 15 or later. It may run again: it sets the passwords anew.
#
# The compose file's database runs this when its volume is new. Elsewhere, as a superuser of PostgreSQL:
#
#     export DATABASE_PASSWORD=... DATABASE_OWNER_PASSWORD=... DATABASE_BACKUP_PASSWORD=...
#     runuser -u postgres -- deploy/postgresql/roles.sh
#
# alliance owns the database and its tables: migrations alone sign in with it. alliance_site reads and writes rows; what
# exactly, each migration grants it (alliance/operations/site_role.py). alliance_backup reads all and makes databases, to try
# a backup in. DATABASE_NAME: another name than alliance.
set -euo pipefail
: "${DATABASE_PASSWORD:?is missing: the password of the role alliance_site}"
: "${DATABASE_OWNER_PASSWORD:?is missing: the password of the role alliance}"
: "${DATABASE_BACKUP_PASSWORD:?is missing: the password of the role alliance_backup}"
owner=${DATABASE_NAME:-alliance}
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname postgres \
  --set owner="$owner" --set site="${owner}_site" --set backup="${owner}_backup" <<'SQL'
\getenv site_password DATABASE_PASSWORD
\getenv owner_password DATABASE_OWNER_PASSWORD
\getenv backup_password DATABASE_BACKUP_PASSWORD
SELECT format('CREATE ROLE %I', :'owner') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner') \gexec
SELECT format('CREATE ROLE %I', :'site') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'site') \gexec
SELECT format('CREATE ROLE %I', :'backup') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'backup') \gexec
-- CREATEDB: a backup is restored into a database of its own.
ALTER ROLE :"owner" LOGIN NOSUPERUSER CREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'owner_password';
ALTER ROLE :"site" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'site_password';
ALTER ROLE :"backup" LOGIN NOSUPERUSER CREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'backup_password';
SET client_min_messages = warning; -- it may be a member already
GRANT pg_read_all_data TO :"backup";
SELECT format('CREATE DATABASE %I OWNER %I ENCODING ''UTF8'' TEMPLATE template0', :'owner', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'owner') \gexec
ALTER DATABASE :"owner" OWNER TO :"owner";
REVOKE ALL ON DATABASE :"owner" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"owner" TO :"site", :"backup";
\connect :"owner"
ALTER SCHEMA public OWNER TO :"owner";
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SQL
if [ -n "${POSTGRES_PASSWORD:-}" ]; then # in the container of compose: nobody signs in as superuser over the network
  psql --no-psqlrc --quiet --dbname postgres --command "ALTER ROLE CURRENT_USER PASSWORD NULL"
fi
