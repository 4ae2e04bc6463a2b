"""The pages on which a note of a conversation is edited, taken back and read as it was."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from sessions_app.conversations import follow_up_actions
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.flags import deferral_actions, discussion_actions
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion
from tests import cast
from tests.built_once import copy_of, kept_open, under_the_former_list
from tests.sessions_app import answered

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("former_list")]
DAY = timedelta(days=1)


def at(name, row):
    return reverse(f"dashboard:{name}", args=[row.code])


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    with kept_open(django_db_blocker):
        with under_the_former_list():
            clinic = cast.clinic()
            *_, low = cast.rated_course(clinic.olgas, [380, 384, 330], last_ago=2 * DAY)
        yield clinic, low


@pytest.fixture
def copied(built):
    return copy_of(built)


@pytest.fixture
def clinic(copied):
    return copied[0]


@pytest.fixture
def low(copied):
    return copied[1]


@pytest.fixture
def note(clinic, low):
    return discussion_actions.discuss(
        flags=low.flags.all(), said="Too fast.", agreed="Slower.", by=clinic.olga
    )


@pytest.fixture
def olga(clinic, low, sign_in):
    return sign_in(clinic.olga)


def words(**changes):
    return {"said": "Too loud.", "agreed": "Softer.", "why": "A slip.", "version": "1", **changes}


class TestUndoInTheMessage:
    def test_stands_right_after_the_act_and_not_at_the_talk(self, clinic, low, olga):
        typed = {f"talk-{low.code}-said": "Too fast.", "flag": [str(flag.code) for flag in low.flags.all()]}
        olga.post(at("discuss", low), typed)
        undo = at("undo_discussion", Discussion.objects.get())
        page = at("client", clinic.olgas)
        assert undo in olga.get(page).text
        assert "Undo" not in olga.get(page).text
        olga.post(undo)
        assert answered.calling().count() == 2

    def test_with_htmx_too(self, clinic, low, olga):
        typed = {f"talk-{low.code}-said": "Too fast.", "flag": [str(flag.code) for flag in low.flags.all()]}
        answer = olga.post(at("discuss", low), typed, headers={"HX-Request": "true"})
        assert at("undo_discussion", Discussion.objects.get()) in answer.text

    def test_of_a_talk_of_months_ago_it_changes_nothing_and_says_so(self, clinic, note, olga):
        Discussion.objects.update(discussed_at=timezone.now() - 90 * DAY)
        answer = olga.post(at("undo_discussion", note), follow=True)
        assert "Use Take back, which stands beside the note." in answer.text
        assert "“<bdi>Too fast.</bdi>”" in answer.text
        assert Discussion.objects.standing().exists()


class TestEditing:
    def test_the_earlier_words_are_readable_with_who_when_and_why(self, clinic, note, olga, sign_in):
        olga.get(at("client", clinic.olgas))  # drawn and kept
        answer = olga.post(at("edit_discussion", note), words(), follow=True)
        for text in (answer.text, sign_in(clinic.sina).get(f"/caseload/clients/{clinic.olgas.code}/").text):
            shown = " ".join(text.split())
            assert "“<bdi>Too loud.</bdi>”" in shown
            earlier = shown.partition("<summary>Earlier</summary>")[2]
            for part in ("Too fast.", "Slower.", "Changed", "by Olga", "A slip."):
                assert part in earlier

    def test_elsewhere_only_the_present_words_are_shown(self, clinic, note, olga):
        Discussion.objects.update(discussed_at=timezone.now() - DAY)
        cast.rating(cast.therapy_session(clinic.olgas), 200)
        before = olga.get(reverse("dashboard:work_list")).text
        assert "Slower." in before  # drawn and kept
        olga.post(at("edit_discussion", note), words())
        work_list = olga.get(reverse("dashboard:work_list")).text
        together = olga.get(
            reverse("together:show", args=[clinic.olgas.code]), {"chosen": 1, "show": note.code}
        )
        last_time = olga.get(at("client", clinic.olgas)).context
        assert "Softer." in work_list
        assert "Softer." in together.text
        for text in (work_list, together.text):
            assert "Slower." not in text
        assert last_time is None or "Slower." not in str(last_time.get("last", ""))

    def test_two_tabs_that_edit_one_note_read_both_texts_and_lose_none(self, clinic, note, olga):
        olga.post(at("edit_discussion", note), words(said="Of the other tab."))
        answer = olga.post(at("edit_discussion", note), words(said="Of this tab."))
        assert answer.status_code == 422
        shown = " ".join(answer.text.split())
        assert "“<bdi>Of the other tab.</bdi>”" in shown.partition("As it stands now")[2]
        assert "“<bdi>Of this tab.</bdi>”" in shown.partition("What you wrote")[2]
        assert 'value="Of this tab."' in shown
        assert 'name="version" value="2"' in shown
        assert Discussion.objects.get().said == "Of the other tab."
        olga.post(at("edit_discussion", note), words(said="Of this tab.", version="2"))
        assert Discussion.objects.get().said == "Of this tab."

    @pytest.mark.parametrize("changes", [{"said": " "}, {"why": ""}, {"agreed": "x" * 501}])
    def test_what_is_missing_is_told_and_nothing_is_written(self, note, olga, changes):
        answer = olga.post(at("edit_discussion", note), words(**changes))
        assert answer.status_code == 422
        assert Discussion.objects.get().said == "Too fast."

    @pytest.mark.parametrize("version", ["", "nonsense", "-1", "1.0", "٣", "9" * 30])
    def test_a_version_that_is_none_saves_nothing(self, note, olga, version):
        assert olga.post(at("edit_discussion", note), words(version=version)).status_code == 422
        assert Discussion.objects.get().said == "Too fast."


class TestTakingBack:
    def test_asks_why_and_leaves_the_words_at_the_session(self, clinic, note, olga):
        assert olga.post(at("take_back_discussion", note), {"why": "", "version": "1"}).status_code == 422
        answer = olga.post(at("take_back_discussion", note), {"why": "Of K-7.", "version": "1"}, follow=True)
        shown = " ".join(answer.text.split())
        assert at("put_back_discussion", note) in shown.partition('class="messages"')[2]  # the undo
        taken_back = shown.partition("<summary>Taken back</summary>")[2]
        for part in ("Too fast.", "Slower.", "Of K-7.", "by Olga", "Put back"):
            assert part in taken_back
        assert answered.calling().count() == 2
        olga.post(at("put_back_discussion", note))
        assert answered.discussed().count() == 2

    def test_of_words_that_changed_meanwhile_shows_them_first(self, clinic, note, olga):
        olga.post(at("edit_discussion", note), words())
        answer = olga.post(at("take_back_discussion", note), {"why": "x", "version": "1"})
        assert answer.status_code == 422
        assert "Too loud." in answer.text
        assert Discussion.objects.standing().exists()

    def test_a_page_about_a_note_that_is_taken_back_says_so(self, clinic, note, olga):
        discussion_actions.withdraw_discussion(discussion=note, by=clinic.olga)
        for name in ("edit_discussion", "take_back_discussion"):
            assert "This note was taken back" in olga.get(at(name, note)).text
        answer = olga.post(at("edit_discussion", note), words())
        assert answer.status_code == 422
        assert 'value="Too loud."' in answer.text

    def test_a_supervisor_reads_it_and_finds_nothing_to_press(self, clinic, note, sign_in):
        discussion_actions.withdraw_discussion(discussion=note, by=clinic.olga, why="Of K-7.")
        text = sign_in(clinic.sina).get(f"/caseload/clients/{clinic.olgas.code}/").text
        assert "Of K-7." in text
        assert "/discussions/" not in text

    def test_a_decision_is_taken_back_with_a_reason_too(self, clinic, low, olga):
        decision = deferral_actions.defer(
            episode=clinic.olgas, flags=low.flags.all(), kind="not_needed", why="Known.", by=clinic.olga
        )
        assert olga.post(at("take_back_deferral", decision), {"why": ""}).status_code == 422
        answer = olga.post(
            at("take_back_deferral", decision), {"why": "Not so.", "from": "client"}, follow=True
        )
        shown = " ".join(answer.text.split())
        for part in ("No talk needed: “<bdi>Known.</bdi>”", "by Olga", "Not so."):
            assert part in shown.partition("<summary>Taken back</summary>")[2]
        assert answered.calling().count() == 2
        assert "It was taken back already" in olga.get(at("take_back_deferral", decision)).text

    def test_an_answer_is_changed_and_the_earlier_one_stays_readable(self, clinic, note, olga):
        Discussion.objects.update(discussed_at=timezone.now() - DAY)
        cast.rating(cast.therapy_session(clinic.olgas), 380)
        answer = follow_up_actions.note(discussion=note, answer="helped", by=clinic.olga)
        assert at("change_follow_up", answer) in olga.get(at("client", clinic.olgas)).text
        shown = olga.post(at("change_follow_up", answer), {"answer": "partly"}, follow=True).text
        assert "It helped a little." in shown
        assert "Did it help? It helped." in " ".join(shown.partition("<summary>Earlier</summary>")[2].split())
        assert FollowUp.objects.standing().get().answer == "partly"
        assert olga.post(at("change_follow_up", answer), {"answer": "made up"}).status_code == 422


PAGES = ("edit_discussion", "take_back_discussion", "put_back_discussion", "undo_discussion")


@pytest.mark.parametrize(("name", "status"), [("carl", 404), ("sina", 403), ("adam", 403)])
def test_nobody_else_changes_anything(clinic, note, low, sign_in, name, status):
    browser = sign_in(getattr(clinic, name))
    for page in PAGES:
        assert browser.post(at(page, note), words()).status_code == status
    assert (Discussion.objects.standing().get().said, Deferral.objects.count()) == ("Too fast.", 0)


def test_the_course_asks_the_same_number_of_queries_for_three_changes_and_thirty(
    clinic, note, olga, django_assert_max_num_queries
):
    olga.get(at("client", clinic.olgas))
    counts = []
    for many in (3, 27):
        for _ in range(many):
            note.refresh_from_db()
            discussion_actions.edit_discussion(
                discussion=note,
                version=note.version,
                said=f"{note.version}",
                agreed="",
                why="x",
                by=clinic.olga,
            )
        with django_assert_max_num_queries(60) as queries:
            assert olga.get(at("client", clinic.olgas)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
