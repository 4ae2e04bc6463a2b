"""What `make bench` fills and multiplies is a clinic like any other, and its document says what its code measures."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone

from alliance.models import AuditEvent
from clients.models import Client
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Mode, Rating
from sessions_app.flags.models import Flag
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import record_rating
from tests import cast
from tests.bench import browsers, conclusions, copies, facts, log_lines, report
from tests.bench.pages import DATABASE_MS, GROWTH, PAGES

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "performance.md"


@pytest.fixture
def course(as_owner, clinic):
    *_, last = cast.rated_course(clinic.olgas, [380, 380, None])
    grant, _ = hand_over_actions.hand_over(session=last, by=clinic.olga)
    record_rating(grant=grant, answers=cast.answers(200), mode=Mode.LINE, delivery=uuid4())
    return clinic.olgas


@pytest.mark.postgresql
def test_copies_a_course_with_everything_that_hangs_on_it(course):
    flags, events = Flag.objects.count(), AuditEvent.objects.count()

    copies.multiply(3)

    assert Rating.objects.count() == 12
    assert Flag.objects.count() == 4 * flags > 0
    # Within its own copy: client, therapist and grant are no other copy's.
    copied = Rating.objects.filter(session__episode__client__code__isnull=False)
    assert copied.values("session__episode__client", "session__episode__therapist").distinct().count() == 4
    assert copied.values("grant__session").distinct().count() == 12
    assert RatingGrant.objects.values("made_by").distinct().count() == 4
    assert AuditEvent.objects.count() == events


@pytest.mark.postgresql
def test_rows_that_are_made_afterwards_come_after_the_copies(course):
    copies.multiply(3)

    later = cast.rating(cast.therapy_session(course), 300)

    assert later.pk == max(Rating.objects.values_list("pk", flat=True))


@pytest.mark.postgresql
def test_finds_a_copy_whose_flags_are_not_what_the_rules_say(course):
    copies.multiply(3)
    conclusions.name_sessions_of_the_copy()
    assert conclusions.differing() == ""

    last = Flag.objects.exclude(rule="G").order_by("-pk")[0]
    Flag.objects.filter(pk=last.pk).update(withdrawn_at=timezone.now())

    assert conclusions.differing() != ""


@pytest.mark.postgresql
def test_no_label_of_a_copy_is_part_of_another(as_owner, clinic):
    Client.objects.update(label="K-100001")
    Client.objects.filter(pk=clinic.olgas.client_id).update(label="K-100002")

    copies.multiply(2)

    assert Client.objects.filter(label__icontains="K-100002").count() == 1


@pytest.mark.postgresql
def test_the_log_tells_of_each_rating_in_the_order_of_time(course):
    before = AuditEvent.objects.count()

    log_lines.write()

    lines = AuditEvent.objects.order_by("pk")[before:]
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert [line.action for line in lines].count("rated") == Rating.objects.count()
    lists = [line for line in lines if line.action == "listed"]
    assert {line.client for line in lines if line not in lists} == {course.client.code}
    assert course.client.code.hex in {name for line in lists for name in line.clients}


def test_leaves_out_what_a_revision_has_no_field_for():
    session = facts.made("sessions_app.TherapySession", number=1, no_such_field=1)
    assert session.number == 1


def test_courses_are_about_fifty_ratings_long():
    assert sum(facts.LENGTHS) / len(facts.LENGTHS) == pytest.approx(50, abs=2)


# --- What is read from the pages ------------------------------------------------------------------


def test_reads_from_a_page_where_it_asks_for_news():
    page = '<span hx-get="/dashboard/?seen=a1&amp;day=2" hx-trigger="every 4s"></span>'
    assert browsers.poll_of(page) == "/dashboard/?seen=a1&day=2"
    assert browsers.poll_of("<a href='/dashboard/'>") == ""


def test_reads_from_a_form_how_its_marks_are_sealed():
    page = '<form data-upload="/rate/upload/" data-token="a&quot;b" data-key="k" data-public-key="p">'
    told = browsers.form_of(page)
    assert told == {"upload": "/rate/upload/", "token": 'a"b', "key": "k", "public-key": "p"}


# --- What is printed and written --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figure", "said"), [(11.9, "met"), (12.04, "met"), (12.2, "missed by 0.2x"), (107, "missed by 95x")]
)
def test_says_by_how_much_a_target_is_missed(figure, said):
    assert report.verdict(figure, 12, "x") == said


def test_the_document_names_the_same_pages_and_targets():
    text = DOCUMENT.read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+?) *\| [\d.]+x *\| (?:<= ([\d.]+)x)? *\|", text, re.M)
    measured = {(page.name, f"{page.most:g}" if page.most else "") for page in PAGES}
    assert set(rows) == measured
    assert len(rows) == 2 * len(PAGES)  # at both sizes
    assert f"under {DATABASE_MS:g} ms" in text
    assert f"{GROWTH:g} times" in text


def test_every_page_is_asked_by_some_browser():
    asked = set(browsers.MADE) | set(browsers.POLLED)
    assert asked == {page.name for page in PAGES}
