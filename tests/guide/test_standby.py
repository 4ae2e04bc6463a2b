"""A primary and its standby: the address of the guide leads to the one that can be written to, before and after."""

import os
import re
import subprocess
import sys

import pytest

from tests.guide.blocks import ROOT, block_with
from tests.guide.clusters import SUPERUSER, running

pytestmark = pytest.mark.postgresql
ASK = """
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT host(inet_server_addr())")
    print(cursor.fetchone()[0])
"""


def asked(url):
    """Which server the site reaches, with its own settings."""
    around = {
        **{"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "alliance.settings", "SECRET_KEY": "k" * 64},
        **{"DEMO": "on", "DEMO_ON_POSTGRESQL": "on", "DATABASE_URL": url},
    }
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, env=around, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_when_the_primary_dies_the_site_goes_on_with_the_standby():
    (line,) = re.findall(
        r"^DATABASE_URL=(.*)$", block_with("several-servers.md", ":5432/alliance?").text, re.M
    )
    with running() as primary, running(standby_of=primary) as standby:
        url = line.replace("alliance_site:secret@10.0.0.21,10.0.0.22:5432/alliance", "{}@{}:{}/postgres")
        # Whichever is named first: the one that can be written to.
        for order in ("127.0.0.1,127.0.0.2", "127.0.0.2,127.0.0.1"):
            assert asked(url.format(SUPERUSER, order, primary.port)) == primary.address
        primary.kill()
        standby.promote()
        for order in ("127.0.0.1,127.0.0.2", "127.0.0.2,127.0.0.1"):
            assert asked(url.format(SUPERUSER, order, primary.port)) == standby.address
