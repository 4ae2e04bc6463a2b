#!/usr/bin/env bash
# Lint and type-check our JavaScript: what every page loads, and the worker of a device's pages. The tools are
# pinned in scripts/javascript/package-lock.json and fetched once; nothing of them is served.
set -euo pipefail
cd "$(dirname "$0")/.."

config=scripts/javascript
tools=$config/node_modules
if [ ! "$tools/.ready" -nt "$config/package-lock.json" ]; then
  npm ci --prefix "$config" --loglevel error >/dev/null
  touch "$tools/.ready"
fi

# The worker is a template of Django: its placeholders become what a checker can read.
checked=var/javascript
mkdir -p "$checked"
sed -e "s/{% load static %}//" \
  -e "s#{% static '\([^']*\)' %}#../../static/\1#" \
  -e "s/({{ [a-z]*|safe }})/({})/" templates/rate/worker.js >"$checked/worker.js"

"$tools/.bin/eslint" --config "$config/eslint.config.js" --max-warnings 0 \
  --cache --cache-location "$checked/eslint" static "$checked"
"$tools/.bin/tsc" --project "$config/tsconfig.json"
"$tools/.bin/tsc" --project "$config/tsconfig.worker.json"
