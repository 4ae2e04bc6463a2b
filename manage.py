#!/usr/bin/env python
import os
import secrets
import sys

from django.core.management import execute_from_command_line

# Commands for researchers: no database, nobody's data, so no settings of a clinic either.
NEED_NO_SETTINGS = {"score_file", "simulate_flags"}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alliance.settings")
    if NEED_NO_SETTINGS.intersection(sys.argv[1:2]):
        os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(64))
        os.environ.setdefault("ALLOWED_HOSTS", "localhost")
    execute_from_command_line(sys.argv)
