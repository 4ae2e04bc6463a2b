"""Which question a therapist reads at a flag: in turn, in their language, the clinic's own among them."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.measurement.questions import questions
from alliance.models import AuditEvent
from alliance.refused import Refused
from sessions_app.conversations import asking
from sessions_app.conversations import question_actions as actions
from sessions_app.conversations.own_questions import OwnQuestion
from sessions_app.flags import answered_flags
from sessions_app.flags.conclude import conclude
from sessions_app.flags.models import Flag
from tests import cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("former_list")]

QUESTIONS, ADD = reverse("rules:questions"), reverse("rules:add_question")
LOW = {"relationship": 95, "goals": 40, "approach": 95, "overall": 95}
HIGH = dict.fromkeys(LOW, 98)


def falls(of, *marks):
    """Weekly sessions with these marks each; their flags of rule C, oldest first, as pages read them."""
    for place, lines in enumerate(marks):
        session = cast.therapy_session(of, ago=timedelta(weeks=len(marks) - place))
        cast.rating(session, None, **lines)
    return flags(of, "C")


def flags(of, rule):
    return [flag for flag in answered_flags.read(of.pk, timezone.now()) if flag.rule == rule]


def asked(flag, viewer):
    asking.prepare([flag], viewer)
    return flag.ways[0]


class TestTurns:
    def test_the_same_flag_asks_the_same_and_the_next_one_another(self, clinic):
        found = falls(clinic.olgas, HIGH, LOW, HIGH, LOW, HIGH, LOW)
        assert [flag.turn for flag in found] == [0, 1, 2]
        said = [asked(flag, clinic.olga).text for flag in found]
        assert set(said) == set(questions("en")["C"]["goals"])
        assert [asked(flag, clinic.olga).text for flag in flags(clinic.olgas, "C")] == said

    def test_a_flag_about_another_line_takes_no_turn(self, clinic):
        other = {**HIGH, "approach": 40}
        found = falls(clinic.olgas, HIGH, LOW, HIGH, other, HIGH, LOW)
        assert [(flag.evidence["line"], flag.turn) for flag in found] == [
            ("goals", 0),
            ("approach", 0),
            ("goals", 1),
        ]

    def test_flags_without_a_line_take_turns_too(self, clinic):
        days = [timedelta(weeks=weeks) for weeks in (9, 8, 7, 6)]
        for ago in days:
            cast.therapy_session(clinic.olgas, ago=ago)
        conclude(episode=clinic.olgas)
        assert [flag.turn for flag in flags(clinic.olgas, "G")] == [0, 1, 2]

    def test_one_that_was_withdrawn_keeps_its_turn(self, clinic):
        first, second = falls(clinic.olgas, HIGH, LOW, HIGH, LOW)
        before = asked(second, clinic.olga)
        Flag.objects.filter(pk=first.pk).update(withdrawn_at=first.raised_at)
        assert asked(flags(clinic.olgas, "C")[-1], clinic.olga) == before

    def test_another_episode_starts_its_own_turns_at_another_question(self, clinic):
        others = [cast.episode(clinic.olga, f"K-{number}") for number in range(3, 6)]
        first = [falls(episode, HIGH, LOW)[0] for episode in others]
        assert [flag.turn for flag in first] == [0, 0, 0]
        assert len({asked(flag, clinic.olga).text for flag in first}) == 3

    def test_what_others_read_is_in_english_and_the_first(self, clinic):
        flag = falls(clinic.olgas, HIGH, LOW)[0]
        assert flag.question == asked(flag, clinic.olga).text == flag.question


class TestLanguage:
    def test_it_is_that_of_the_reader(self, clinic):
        flag = falls(clinic.olgas, HIGH, LOW)[0]
        clinic.olga.question_language = "ar"
        assert asked(flag, clinic.olga).text in questions("ar")["C"]["goals"]
        assert asked(flag, clinic.sina).text in questions("en")["C"]["goals"]

    @pytest.mark.parametrize("page", ["dashboard:work_list", "dashboard:client"])
    def test_the_page_says_which_language_and_direction(self, clinic, sign_in, page):
        falls(clinic.olgas, HIGH, LOW)
        browser = sign_in(clinic.olga)
        answer = browser.post(reverse("rules:choose_language"), {"language": "ar", "from": "account"})
        assert answer.url == reverse("account_security")
        shown = browser.get(reverse(page, args=[clinic.olgas.code] if page.endswith("client") else []))
        assert '<html lang="en" dir="ltr">' in shown.text
        assert '<span class="flag__question" lang="ar" dir="rtl">' in shown.text

    def test_choosing_is_logged_once(self, clinic, sign_in):
        browser = sign_in(clinic.olga)
        for _ in range(2):
            browser.post(reverse("rules:choose_language"), {"language": "de"})
        clinic.olga.refresh_from_db()
        assert clinic.olga.question_language == "de"
        assert AuditEvent.objects.filter(action="question language chosen").count() == 1

    @pytest.mark.parametrize("sent", [{}, {"language": "pt"}, {"language": "", "from": "https://x.example/"}])
    def test_what_is_no_language_changes_nothing(self, clinic, sign_in, sent):
        answer = sign_in(clinic.olga).post(reverse("rules:choose_language"), sent, follow=True)
        assert answer.redirect_chain == [(QUESTIONS, 302)]
        assert "There are no questions in this language." in answer.text
        clinic.olga.refresh_from_db()
        assert clinic.olga.question_language == "en"

    def test_only_who_reads_questions_is_offered_the_choice(self, clinic, sign_in):
        account = reverse("account_security")
        assert "Use this language" in sign_in(clinic.sina).get(account).text
        assert "Use this language" not in sign_in(clinic.adam).get(account).text

    def test_a_translation_says_that_nobody_reviewed_it(self, clinic, sign_in):
        browser = sign_in(clinic.olga)
        assert "not reviewed by a clinician" not in browser.get(QUESTIONS).text
        browser.post(reverse("rules:choose_language"), {"language": "fr"})
        page = browser.get(QUESTIONS).text
        assert "not reviewed by a clinician" in page
        assert questions("fr")["C"]["goals"][0] in page


class TestTheClinicsOwn:
    def test_is_asked_in_turn_with_ours_and_marked(self, clinic, sign_in):
        cast.question(clinic.adam, "What would help?", rule="C", item="goals")
        found = falls(clinic.olgas, *[HIGH, LOW] * 4)
        ways = [asked(flag, clinic.olga) for flag in found]
        assert {way.text for way in ways} == {*questions("en")["C"]["goals"], "What would help?"}
        assert [way.text for way in ways if way.is_own] == ["What would help?"]
        page = sign_in(clinic.olga).get(reverse("dashboard:client", args=[clinic.olgas.code])).text
        assert "What would help?" in page
        assert "(from your clinic)" in page

    @pytest.mark.parametrize(
        ("of", "is_shown"),
        [
            ({"rule": "C", "item": "goals"}, True),
            ({"rule": "C", "item": ""}, True),
            ({"rule": "C", "item": "approach"}, False),
            ({"rule": "D", "item": "goals"}, False),
            ({"rule": "C", "item": "goals", "language": "de"}, False),
        ],
    )
    def test_is_asked_at_its_rule_line_and_language_only(self, clinic, of, is_shown):
        cast.question(clinic.adam, "Own?", **of)
        flag = falls(clinic.olgas, HIGH, LOW)[0]
        asking.prepare([flag], clinic.olga)
        assert ("Own?" in [way.text for way in flag.ways]) is is_shown

    def test_taken_out_it_is_asked_no_more_and_put_back_again(self, clinic):
        own = cast.question(clinic.adam, "Own?", rule="C")
        flag = falls(clinic.olgas, HIGH, LOW)[0]

        def is_asked():
            asking.prepare([flag], clinic.olga)
            return any(way.is_own for way in flag.ways)

        assert is_asked()
        for _ in range(2):
            actions.take_out_question(question=own, by=clinic.adam)
        assert not is_asked()
        for _ in range(2):
            actions.put_back_question(question=own, by=clinic.adam)
        assert is_asked()
        told = AuditEvent.objects.filter(entity="ownquestion").order_by("pk").values_list("action", flat=True)
        assert list(told) == ["question added", "question taken out", "question put back"]

    def test_one_that_is_there_already_is_refused(self, clinic):
        own = cast.question(clinic.adam, "Own?")
        with pytest.raises(Refused, match="there already"):
            cast.question(clinic.adam, "Own?")
        actions.take_out_question(question=own, by=clinic.adam)
        cast.question(clinic.adam, "Own?")
        with pytest.raises(Refused):
            actions.put_back_question(question=own, by=clinic.adam)
        with pytest.raises(Refused, match="one of the questions"):
            cast.question(clinic.adam, questions("en")["A"]["goals"][0])

    def test_nobody_takes_one_out_without_a_name(self, clinic):
        own = cast.question(clinic.adam)
        with pytest.raises(IntegrityError), transaction.atomic():
            OwnQuestion.objects.filter(pk=own.pk).update(removed_at=own.added_at)


class TestThePage:
    def test_an_administrator_adds_takes_out_and_puts_back(self, clinic, sign_in):
        browser = sign_in(clinic.adam)
        assert "no questions of its own yet" in browser.get(QUESTIONS).text
        sent = {"rule": "F", "item": "", "language": "de", "text": "  Was  fehlt Ihnen? "}
        page = browser.post(ADD, sent, follow=True).text
        own = OwnQuestion.objects.get()
        assert (own.rule, own.item, own.language, own.text) == ("F", "", "de", "Was fehlt Ihnen?")
        assert "Was fehlt Ihnen?" in page
        assert "whichever line fell, Deutsch" in page
        page = browser.post(reverse("rules:take_out_question", args=[own.code]), follow=True).text
        assert "taken out by Adam" in page
        page = browser.post(reverse("rules:put_back_question", args=[own.code]), follow=True).text
        assert "It is shown again." in page
        assert OwnQuestion.objects.in_use().get() == own

    def test_the_line_that_a_question_is_about_is_named(self, clinic, sign_in):
        own = cast.question(clinic.adam, "What would help?", rule="C", item="goals")
        assert "goals and topics, English" in sign_in(clinic.adam).get(QUESTIONS).text
        assert str(own) == "What would help?"

    def test_what_cannot_be_put_back_says_why(self, clinic, sign_in):
        own = cast.question(clinic.adam)
        actions.take_out_question(question=own, by=clinic.adam)
        cast.question(clinic.adam)
        page = sign_in(clinic.adam).post(reverse("rules:put_back_question", args=[own.code]), follow=True)
        assert "there already" in page.text

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"text": " "}, "This field is required."),
            ({"text": "x" * 301}, "at most 300"),
            ({"text": "What\u202e?"}, "cannot be seen"),
            ({"rule": "Z"}, "Z is not one of"),
            ({"language": "pt"}, "pt is not one of"),
            ({"item": "money"}, "money is not one of"),
        ],
    )
    def test_what_cannot_be_added_says_why_and_keeps_what_was_typed(self, clinic, sign_in, change, words):
        sent = {"rule": "A", "item": "goals", "language": "en", "text": "What else?", **change}
        answer = sign_in(clinic.adam).post(ADD, sent)
        assert answer.status_code == 422
        assert words in answer.text
        assert not OwnQuestion.objects.exists()

    def test_a_gap_has_no_line(self, clinic, sign_in):
        sent = {"rule": "G", "item": "goals", "language": "en", "text": "What else?"}
        sign_in(clinic.adam).post(ADD, sent)
        assert OwnQuestion.objects.get().item == ""

    @pytest.mark.parametrize("who", ["olga", "sina"])
    def test_others_read_and_change_nothing(self, clinic, sign_in, who):
        own = cast.question(clinic.adam, "Own?")
        browser = sign_in(getattr(clinic, who))
        page = browser.get(QUESTIONS).text
        assert "Own?" in page
        assert "Take out" not in page
        assert "Add a question" not in page
        assert browser.post(reverse("rules:take_out_question", args=[own.code])).status_code == 403
        assert OwnQuestion.objects.in_use().exists()

    def test_what_the_clinic_wrote_is_text(self, clinic, sign_in):
        cast.question(clinic.adam, "<script>x</script> {{ user.email }}")
        page = sign_in(clinic.olga).get(QUESTIONS).text
        assert "<script>x" not in page
        assert "&lt;script&gt;x&lt;/script&gt; {{ user.email }}" in page


class TestQueries:
    def test_they_do_not_grow_with_clients_flags_or_questions(self, clinic, sign_in):
        browser = sign_in(clinic.olga)
        counts = []
        for clients in (3, 30):
            for number in range(clients - len(counts) * 3):
                cast.rated_course(cast.episode(clinic.olga, f"K-{clients}-{number}"), [390, 340])
                cast.question(clinic.adam, f"Own {clients} {number}?", rule="C")
            browser.get(reverse("dashboard:work_list"))
            with CaptureQueriesContext(connection) as queries:
                shown = browser.get(reverse("dashboard:work_list"))
            counts.append(len(queries))
        assert len(shown.context["lists"].talks) == 30
        assert counts[0] == counts[1]

    def test_asking_is_one_query_however_many_flags(self, clinic, django_assert_num_queries):
        found = falls(clinic.olgas, *[HIGH, LOW] * 5)
        with django_assert_num_queries(1):
            asking.prepare(found, clinic.olga)
