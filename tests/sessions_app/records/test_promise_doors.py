"""Every door keeps to the promise: canaries in what was marked, looked for wherever somebody else could read them.

Each test has its control: the same marks under the promise as shipped are found, so that the search can find them.
"""

import json
import zipfile
from io import BytesIO

import pytest
from django.urls import reverse
from django.utils import timezone

from alliance.measurement import instruments
from sessions_app.corrections import actions as decide
from sessions_app.corrections import misfiling_actions
from sessions_app.courses.models import Mode, SetAsideRating
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.instruments.promises import Door
from sessions_app.intake import hand_over_actions, session_actions
from sessions_app.intake.form_sets import Forms, ToFillIn
from sessions_app.intake.record_rating import NotStored, record_rating
from sessions_app.records import client_record
from sessions_app.supervision import agenda_actions
from tests import cast
from tests.alliance.page_table import browser_of
from tests.alliance.sign_in import just_asked
from tests.sessions_app.every_page import opened_by

pytestmark = pytest.mark.django_db
# Earlier marks stand on pages without a total: by their first line.
FIGURES = {
    "stands": ("27.3",),
    "voided": ("23.1",),
    "set aside": ("21.9",),
    "earlier": ("25.7", "elationship 6.5"),
    "outcome": ("12.7",),
}
WORDS = {"shared": "Kakapo-shared", "kept": "Numbat-kept"}


def marked(clinic, session, total, comment="", *, share=False):
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    return record_rating(
        grant=grant, answers=cast.answers(total), mode=Mode.LINE, comment=comment, share_comment=share
    )


def full(clinic):
    """A course of Olga's with marks in every state, and a sentence that was shared and one that was not."""
    day = cast.timedelta(days=1)
    cast.rated_course(clinic.olgas, [380, 380], last_ago=20 * day)
    settled = cast.therapy_session(clinic.olgas, ago=12 * day)
    first = marked(clinic, settled, 257)
    with pytest.raises(NotStored):
        record_rating(grant=first.grant, answers=cast.answers(377), mode=Mode.LINE)
    aside = SetAsideRating.objects.get()
    decide.use(aside=aside, seen=first.code, why="meant these", by=clinic.olga)
    voided = cast.therapy_session(clinic.olgas, ago=11 * day)
    marked(clinic, voided, 231)
    session_actions.void_session(session=voided, why="entered twice", by=clinic.olga)
    elsewhere = cast.therapy_session(clinic.olgas, ago=10 * day)
    misfiled = marked(clinic, elsewhere, 193)
    clinic.misfiling = misfiling_actions.set_aside(rating=misfiled, why="not of K-1", by=clinic.olga)
    low = cast.therapy_session(clinic.olgas, ago=2 * day)
    clinic.rating = marked(clinic, low, 273, WORDS["shared"], share=True)
    with pytest.raises(NotStored):
        record_rating(
            grant=clinic.rating.grant, answers=cast.answers(219), mode=Mode.LINE, comment=WORDS["kept"]
        )
    clinic.aside = SetAsideRating.objects.exclude(pk=aside.pk).get()
    life = Forms(rating=False, questionnaires=(ToFillIn(instruments.get("life-lines")),))
    grant, _ = hand_over_actions.hand_over(session=low, by=clinic.olga, forms=life)
    items = [item.id for item in instruments.get("life-lines").items]
    cast.answered(grant, dict(zip(items, (31, 32, 32, 32), strict=True)))
    today = timezone.localdate()
    clinic.agenda = agenda_actions.make_agenda(
        therapist=clinic.olga, held_on=today, proposals=[], by=clinic.sina
    )
    return clinic


def on_pages(clinic, name):
    """All that this person can read on any page of the site, tried with every code there is."""
    codes = [
        *(clinic.olgas.code, clinic.rating.code, clinic.misfiling.code, clinic.agenda.code, clinic.olga.pk),
        *(clinic.aside.code, clinic.rating.session.code, clinic.olgas.client.code),
    ]
    answers = [answer for _, answer in opened_by(name, clinic, codes)]
    found = [answer.text for answer in answers if answer.status_code == 200 and not answer.streaming]
    browser = browser_of(clinic, name)
    found.append(browser.get(reverse("caseload:client", args=[clinic.olgas.code]) + "?all=1").text)
    return "\n".join(found)


def file_of(clinic, sign_in, person, part):
    browser = just_asked(sign_in(getattr(clinic, person)))
    answer = browser.post("/export/", {"separator": ",", "part": part, "what": "json"})
    return b"".join(answer.streaming_content).decode()


def canaries(text):
    """Which of them a text holds; in files a figure stands in tenths too."""
    figures = {name for name, said in FIGURES.items() if any(one in text for one in said)}
    return figures | {name for name, word in WORDS.items() if word in text}


# --- Whoever supervises --------------------------------------------------------------------------


def test_as_shipped_a_supervisor_reads_marks_and_the_shared_sentence(clinic, sign_in):
    full(clinic)
    assert canaries(on_pages(clinic, "sina")) == {"stands", "voided", "earlier", "shared", "outcome"}
    assert canaries(file_of(clinic, sign_in, "sina", "supervised")) >= {"stands", "shared"}


def test_marks_for_the_therapist_alone_are_on_no_page_of_a_supervisor_and_in_no_file(clinic, sign_in):
    cast.promise(clinic.adam, supervisor=False)
    full(clinic)
    assert canaries(on_pages(clinic, "sina")) == set()
    assert canaries(file_of(clinic, sign_in, "sina", "supervised")) == set()
    # The therapist reads them all as ever.
    own = browser_of(clinic, "olga").get(reverse("dashboard:client", args=[clinic.olgas.code])).text
    assert canaries(own) >= {"stands", "voided", "set aside", "earlier", "shared", "kept"}
    panels = browser_of(clinic, "olga").get(reverse("questionnaires:panels", args=[clinic.olgas.code])).text
    assert canaries(panels) == {"outcome"}


@pytest.mark.parametrize(("supervisor", "lines"), [(True, 4), (False, 0)])
def test_the_pages_that_move_marks_show_a_supervisor_what_was_promised(clinic, supervisor, lines):
    if not supervisor:
        cast.promise(clinic.adam, supervisor=False)
    full(clinic)
    browser = browser_of(clinic, "sina")
    for name, code in (("set_aside", clinic.rating.code), ("put_back", clinic.misfiling.code)):
        shown = browser.get(reverse(f"marks:{name}", args=[code]))
        assert (shown.status_code, len(shown.context["lines"])) == (200, lines)
    own = browser_of(clinic, "olga").get(reverse("marks:set_aside", args=[clinic.rating.code]))
    assert len(own.context["lines"]) == 4


def test_the_caseload_says_why_it_says_nothing(clinic, sign_in):
    cast.promise(clinic.adam, supervisor=False)
    full(clinic)
    shown = browser_of(clinic, "sina").get(reverse("caseload:overview")).text
    assert "Marks of this course are seen by the therapist alone" in shown
    assert '<svg class="sparkline"' not in shown
    course = browser_of(clinic, "sina").get(reverse("caseload:client", args=[clinic.olgas.code])).text
    assert "Some marks of this course are seen by the therapist alone" in course
    assert "Seen by the therapist alone" in course


def test_a_changed_promise_reaches_back_to_nothing(clinic):
    """Marks of before stay readable, flags that rest on later ones do not tell of these."""
    cast.rated_course(clinic.olgas, [380, 381], last_ago=cast.timedelta(days=9))
    cast.promise(clinic.adam, supervisor=False)
    closed = cast.therapy_session(clinic.olgas, ago=cast.timedelta(days=5))
    marked(clinic, closed, 273)
    cast.promise(clinic.adam, supervisor=True)
    again = cast.therapy_session(clinic.olgas, ago=cast.timedelta(days=2))
    marked(clinic, again, 377)
    course = browser_of(clinic, "sina").get(reverse("caseload:client", args=[clinic.olgas.code])).text
    assert ("38.1" in course, "37.7" in course, "27.3" in course) == (True, True, False)
    whole = browser_of(clinic, "olga").get(reverse("dashboard:client", args=[clinic.olgas.code])).text
    assert "27.3" in whole


def test_the_sentence_stays_with_the_therapist_though_it_was_shared(clinic, sign_in):
    cast.promise(clinic.adam, supervisor_comment=False)
    full(clinic)
    for text in (on_pages(clinic, "sina"), file_of(clinic, sign_in, "sina", "supervised")):
        assert canaries(text) & {"shared", "kept"} == set()
        assert "stands" in canaries(text)
    cast.promise(clinic.adam, supervisor_comment=True)
    marked(clinic, cast.therapy_session(clinic.olgas), 371, "Dodo-later", share=True)
    assert "Dodo-later" in on_pages(clinic, "sina")


# --- Files and the record ------------------------------------------------------------------------


@pytest.mark.parametrize(("person", "part"), [("olga", "own"), ("sina", "supervised")])
def test_no_file_of_many_holds_marks_that_were_promised_to_be_in_none(clinic, sign_in, person, part):
    cast.promise(clinic.adam, export=False)
    full(clinic)
    sheets = json.loads(file_of(clinic, sign_in, person, part))["sheets"]
    assert [sheets[name] for name in ("ratings", "flags")] == [[], []]
    assert canaries(json.dumps(sheets)) == set()
    assert len(sheets["sessions"]) == 6
    # The record of this client alone has them: that is another door.
    record = json.dumps(client_record.read(clinic.olgas.client, clinic.olga).as_json())
    assert canaries(record) >= {"stands", "shared", "kept"}


def test_the_control_of_that_finds_them(clinic, sign_in):
    full(clinic)
    assert canaries(file_of(clinic, sign_in, "olga", "own")) >= {
        "stands",
        "earlier",
        "voided",
        "shared",
        "kept",
    }


def test_the_record_leaves_out_what_was_promised_and_says_how_much(clinic, sign_in):
    cast.promise(clinic.adam, record=False)
    full(clinic)
    record = client_record.read(clinic.olgas.client, clinic.olga)
    assert canaries(json.dumps(record.as_json())) == set()
    assert record.kept_back > 3
    browser = just_asked(sign_in(clinic.olga))
    page = browser.post(reverse("records:client", args=[clinic.olgas.client.code]), {"shape": "page"}).text
    assert canaries(page) == set()
    assert f"{record.kept_back} sets of marks are not in this\n        record" in page
    assert canaries(file_of(clinic, sign_in, "olga", "own")) >= {"stands", "kept"}


@pytest.mark.parametrize("flag", ["research", "record_system"])
def test_each_row_takes_along_whether_it_may_be_used_so(clinic, sign_in, flag):
    column = {"research": "may_be_used_for_research", "record_system": "may_be_in_another_system"}[flag]
    cast.rating(cast.therapy_session(clinic.olgas))
    cast.promise(clinic.adam, **{flag: True})
    cast.rating(cast.therapy_session(clinic.olgas))
    rows = json.loads(file_of(clinic, sign_in, "olga", "own"))["sheets"]["ratings"]
    assert [(row["promise_version"], row[column]) for row in rows] == [(0, False), (1, True)]
    other = "may_be_in_another_system" if flag == "research" else "may_be_used_for_research"
    assert [row[other] for row in rows] == [False, False]


def test_a_csv_says_that_marks_may_be_missing(clinic, sign_in):
    browser = just_asked(sign_in(clinic.olga))
    answer = browser.post("/export/", {"separator": ",", "part": "own", "what": "ratings"})
    archive = zipfile.ZipFile(BytesIO(b"".join(answer.streaming_content)))
    assert "the form promised that no file holds them" in archive.read("READ-ME.txt").decode()


# --- Each kind of rater has a promise of its own -------------------------------------------------


def test_what_is_promised_to_a_caregiver_holds_for_caregivers_alone(clinic, sign_in):
    cast.promise(clinic.adam, rater="caregiver", supervisor=False)
    session = cast.therapy_session(clinic.olgas)
    marked(clinic, session, 273)
    form = ToFillIn(instruments.get("caregiver-session-rating"), Rater.CAREGIVER)
    grant, _ = hand_over_actions.hand_over(
        session=session, by=clinic.olga, forms=Forms(rating=False, questionnaires=(form,))
    )
    cast.answered(grant, cast.answers(219))
    assert not QuestionnaireResponse.objects.through(Door.SUPERVISOR).exists()
    sheets = json.loads(file_of(clinic, sign_in, "sina", "supervised"))["sheets"]
    assert (len(sheets["ratings"]), sheets["questionnaires"]) == (1, [])
    assert len(json.loads(file_of(clinic, sign_in, "olga", "own"))["sheets"]["questionnaires"]) == 1
    clinic.rating, clinic.misfiling, clinic.agenda = session.ratings.get(), session, session
    clinic.aside = session
    assert "21.9" not in on_pages(clinic, "sina")
