"""The owner's rule about missing answers: off as shipped, switched on by an administrator, said wherever it counts."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance import kept_values
from alliance.measurement.instruments import get
from alliance.measurement.pack_file import read_pack
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.dashboards import alliance_and_outcome_page, caseload, questionnaire_panels
from sessions_app.instruments import actions, missing_answers
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.records import response_columns, sheets
from sessions_app.records.sheets import Part, Scope
from sessions_app.rulebook import settings_pages
from tests import cast
from tests.measurement.wording_files import a_pack
from tests.sessions_app.questionnaires.answering import answer, confirm

pytestmark = pytest.mark.django_db
SETTINGS = reverse("settings:change")
SAID = "pro-rated from 9 of 10"


def core(session, *, missing=1):
    """Every answer 2 of 4, as many left out at the end as are missing."""
    items = [item.id for item in get("core-10").items]
    left_out = items[len(items) - missing :]
    # The question about self-harm is among those that are answered 0.
    given = {item: 0 if item in get("core-10").risk_items else 20 for item in items}
    return answer(session, "core-10", {**given, **dict.fromkeys(left_out)})


@pytest.fixture
def with_pack(clinic):
    pack = read_pack(a_pack(), ("en", "de"))
    actions.switch_on_pack(pack=pack, read_sha256=pack.sha256, by=clinic.adam)
    confirm("core-10", looks=clinic.sina, by=clinic.adam)
    return clinic


@pytest.fixture
def course(with_pack):
    """Three sessions: all answered, one answer missing, two missing."""
    sessions = cast.rated_course(with_pack.olgas, [380, 370, 360])
    return [core(one, missing=missing) for one, missing in zip(sessions, (0, 1, 2), strict=True)]


def switch(clinic, *named):
    return cast.choose(clinic.adam, prorated=list(named))


def panel(episode):
    read = questionnaire_panels.read(episode, is_own=True)
    return read.groups[0].panels[0]


def column(response):
    rows = QuestionnaireResponse.objects.annotate(**missing_answers.beside())
    return response_columns.prorated_total(*rows.values_list(*response_columns.SCORED).get(pk=response.pk))


def test_an_export_asks_for_the_rules_once_and_not_for_each_row_with_a_missing_answer(
    with_pack, course, django_assert_num_queries
):
    switch(with_pack, "core-10")
    sheet = next(one for one in sheets.sheets(Part.OWN) if one.name == "questionnaires")
    scope = Scope(with_pack.olga, Part.OWN)
    place = sheet.header.index("total_pro_rated")
    with CaptureQueriesContext(connection) as of_three:
        totals = [row[place] for row in sheets.values(sheet, scope)]
    assert totals == [None, f"17.8 ({SAID})", None]
    for session in cast.rated_course(with_pack.olgas, [380, 370, 360, 350]):
        core(session)
    with django_assert_num_queries(len(of_three)):
        assert len(list(sheets.values(sheet, scope))) == 7


def test_as_shipped_a_missing_answer_leaves_no_total(with_pack, course):
    rows = panel(with_pack.olgas).rows
    assert [(row.total, row.answered.prorated) for row in rows] == [("–", ""), ("–", ""), ("18", "")]
    assert [column(one) for one in course] == [None, None, None]


def test_switched_on_the_total_says_from_how_many_answers_it_is(with_pack, course, sign_in):
    switch(with_pack, "core-10")
    rows = panel(with_pack.olgas).rows
    # 2 points for 8 of 9 answers: 16 / 9 * 10. With two missing the owner permits nothing.
    assert [(row.total, row.answered.prorated) for row in rows] == [("–", ""), ("17.8", SAID), ("18", "")]
    assert [column(one) for one in course] == [None, f"17.8 ({SAID})", None]
    olga = sign_in(with_pack.olga)
    piece = olga.get(reverse("questionnaires:panels", args=[with_pack.olgas.code])).content.decode()
    assert f"The last total is {SAID}: read it with caution." in " ".join(piece.split())
    both = alliance_and_outcome_page.read(with_pack.olgas, timezone.now(), is_own=True)
    assert [row.outcome for row in both.rows] == ["–", f"17.8, {SAID}", "18"]
    # What was answered is as it came.
    assert [one.total for one in QuestionnaireResponse.objects.order_by("pk")] == [180, None, None]


def test_switched_off_again_these_totals_are_gone(with_pack, course):
    switch(with_pack, "core-10")
    switch(with_pack)
    assert [row.total for row in panel(with_pack.olgas).rows] == ["–", "–", "18"]
    newest, before, *_ = settings_pages.versions()
    assert newest.changed == ["Pro-rated where an answer is missing: nothing (was CORE-10)"]
    assert before.changed == ["Pro-rated where an answer is missing: CORE-10 (was nothing)"]


def test_the_caseload_says_it_too(with_pack, course, sign_in):
    switch(with_pack, "core-10")
    sina = sign_in(with_pack.sina)
    assert SAID in sina.get(reverse("caseload:overview")).content.decode()
    switch(with_pack)
    assert SAID not in sina.get(reverse("caseload:overview")).content.decode()


def test_settings_speak_of_it_only_where_a_clinic_may_use_such_a_form(clinic, sign_in):
    adam = sign_in(clinic.adam)
    adam.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
    assert "pro-rate" not in adam.get(SETTINGS).content.decode()
    pack = read_pack(a_pack(), ("en", "de"))
    made = actions.switch_on_pack(pack=pack, read_sha256=pack.sha256, by=clinic.adam)
    page = adam.get(SETTINGS)
    form = page.context["form"]
    assert "total from 9 of 10 answers on (CORE System Trust" in page.content.decode()
    typed = {**form.initial, "prorated": ["core-10"], "opened_with": form["opened_with"].value()}
    assert adam.post(SETTINGS, typed).status_code == 302
    assert ClinicSettings.objects.in_force().prorated == ["core-10"]
    # Without its pack it stays in sight, so that it can be switched off.
    actions.switch_off_pack(pack=made, by=clinic.adam)
    assert "pro-rate" in adam.get(SETTINGS).content.decode()
    other = {**typed, "prorated": ["gad-7"]}
    assert "gad-7" in adam.post(SETTINGS, other).content.decode()
    assert ClinicSettings.objects.in_force().prorated == ["core-10"]


def asked(clinic):
    kept_values.forget_everything()
    with CaptureQueriesContext(connection) as queries:
        caseload.read(clinic.sina, timezone.now())
    return len(queries)


def test_whole_answers_ask_for_no_rule_and_missing_ones_once(with_pack):
    core(cast.rated_course(with_pack.olgas, [380])[0], missing=0)
    whole = asked(with_pack)
    for n in range(3):
        session = cast.therapy_session(cast.episode(with_pack.olga, f"C-{n}"))
        cast.rating(session, 380)
        core(session, missing=1)
    assert asked(with_pack) == whole + 1
