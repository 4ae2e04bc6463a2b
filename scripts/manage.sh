#!/usr/bin/env bash
# manage.py on a server without containers, as the units run it: as the user "alliance", with the settings of the clock.
#
#     scripts/manage.sh COMMAND [ARGUMENT...]           # doctor, backup, create_administrator, ...
#     scripts/manage.sh --owner COMMAND [ARGUMENT...]   # as the owner of the tables: migrate, restore, audit_archive
#
# Call it as root: only root can read /etc/alliance. SETTINGS_FOLDER and SITE_USER name another folder and user.
set -euo pipefail
settings=${SETTINGS_FOLDER:-/etc/alliance}
user=${SITE_USER:-alliance}

if [ -d "$settings" ] && ! { [ -r "$settings" ] && [ -x "$settings" ]; }; then
  echo "Run this as root: $(id -un) may not read the settings in $settings." >&2
  exit 2
fi
files=("$settings/clock.env")
if [ "${1:-}" = --owner ]; then
  files+=("$settings/owner.env")
  if [ ! -e "$settings/owner.env" ]; then
    echo "There is no $settings/owner.env with the address of the owner. Where the site itself owns the tables, leave out --owner." >&2
    exit 2
  fi
  shift
fi
# As systemd reads a line with one setting, and not as a shell does: an address of a database may hold an "&".
for file in "${files[@]}"; do
  if [ ! -e "$file" ]; then continue; fi
  while IFS= read -r line || [ -n "$line" ]; do
    if [[ $line =~ ^[[:space:]]*([A-Z_][A-Z0-9_]*)=(.*)$ ]]; then
      name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
      value=${value%"${value##*[![:space:]]}"}
      if [[ $value =~ ^\"(.*)\"$ || $value =~ ^\'(.*)\'$ ]]; then value=${BASH_REMATCH[1]}; fi
      export "$name=$value"
    fi
  done <"$file"
done

cd "$(dirname "$0")/.."
as_user=()
if [ "$(id -un)" != "$user" ]; then as_user=(runuser -u "$user" --); fi
exec "${as_user[@]}" .venv/bin/python manage.py "$@"
