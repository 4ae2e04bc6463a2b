"""Days as people read them: none without its year where it is another one."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template

from alliance.days import day, near_day, with_year

TODAY = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _early_in_january(time_machine):
    time_machine.move_to(TODAY, tick=False)


@pytest.mark.parametrize(
    ("when", "style", "words"),
    [
        (date(2026, 11, 16), "j M", "16 Nov 2026"),
        (date(2027, 1, 3), "j M", "3 Jan"),
        (date(2026, 11, 16), "D j M", "Mon 16 Nov 2026"),
        (date(2028, 2, 1), "l j F", "Tuesday 1 February 2028"),
        (datetime(2026, 11, 16, 9, 30, tzinfo=UTC), "j F, H:i", "16 November 2026, 10:30"),
        (datetime(2027, 1, 3, 9, 30, tzinfo=UTC), "j F, H:i", "3 January, 10:30"),
        (date(2026, 11, 16), "j F Y", "16 November 2026"),
        (None, "j M", ""),
    ],
)
def test_a_day_has_its_year_where_that_is_another_one(settings, when, style, words):
    settings.TIME_ZONE = "Europe/Vienna"
    assert day(when, style) == words


def test_the_year_is_that_of_the_clinics_time_zone(settings):
    settings.TIME_ZONE = "Europe/Vienna"
    assert day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == "1 Jan"
    assert with_year("j M", datetime(2026, 12, 31, 22, 30, tzinfo=UTC)) == "j M Y"


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (date(2027, 1, 4), "today"),
        (date(2027, 1, 3), "yesterday"),
        (date(2027, 1, 5), "tomorrow"),
        (date(2026, 12, 30), "30 Dec 2026"),
        (date(2027, 1, 9), "9 Jan"),
    ],
)
def test_what_is_near_is_said_in_a_word(when, words):
    assert near_day(when) == words
    assert Template('{% load days %}{{ when|near_day:"j M" }}').render(Context({"when": when})) == words


def test_since_16_nov_of_another_year_is_nowhere_without_its_year():
    """A page that formats a day without its year, or asks `naturalday`, would say "since 16 Nov" of any year."""
    written = re.compile(r"""\|(date:["'][^"']*["']|naturalday[^ }]*)""")
    forgotten = []
    for path in Path(settings.BASE_DIR, "templates").rglob("*.*"):
        for style in written.findall(path.read_text()):
            names_a_day = re.search(r"[jdFMmn]", style.removeprefix("date:"))
            if style.startswith("naturalday") or (names_a_day and "Y" not in style):
                forgotten.append(f"{path.name}: {style}")
    assert forgotten == []
