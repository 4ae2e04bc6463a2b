"""You said, we changed: the client's own words and marks, in their language, and nothing a flag could be read from."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings as site
from django.urls import reverse
from django.utils import timezone, translation

from alliance.measurement import flag_rules, instruments
from alliance.measurement.questions import questions
from alliance.measurement.scoring import points, scale_end
from alliance.models import AuditEvent
from sessions_app.conversations import follow_up_actions, repairs, together
from sessions_app.courses.models import Rating
from sessions_app.flags import discussion_actions
from sessions_app.flags.models import Discussion, Flag
from tests import cast
from tests.built_once import OnACopy, kept_open
from tests.sessions_app import answered

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
COMMENT, SAID, AGREED = "Kakapo: I was not heard.", "Numbat: talk about my job.", "Okapi: start with work."
LABEL = "Quetzal-4417"


@pytest.fixture(scope="class")
def built(django_db_setup, django_db_blocker):
    with kept_open(django_db_blocker):
        clinic = cast.clinic()
        yield clinic, talked_about(clinic)


class WithATalk(OnACopy):
    """Olga's client with flags of every kind but G, a comment, a talk, an answer, and later marks; the label a canary.

    Built once for the tests of the class.
    """

    @pytest.fixture
    def flagged(self, copied):
        return copied[1]


def talked_about(clinic):
    clinic.olgas.client.label = LABEL
    clinic.olgas.client.save()
    cast.rated_course(clinic.olgas, [398, 399, 398, 398, 397, 395, 391], last_ago=14 * DAY)
    low = cast.therapy_session(clinic.olgas, ago=7 * DAY)
    cast.rating(low, None, comment=COMMENT, relationship=91, goals=57, approach=83, overall=92)
    discussion = discussion_actions.discuss(flags=low.flags.all(), said=SAID, agreed=AGREED, by=clinic.olga)
    Discussion.objects.update(discussed_at=timezone.now() - 6 * DAY)
    discussion.refresh_from_db()
    cast.rating(cast.therapy_session(clinic.olgas, ago=5 * DAY), None, goals=70, relationship=93)
    cast.rating(cast.therapy_session(clinic.olgas), 388)
    follow_up_actions.note(discussion=discussion, answer="partly", by=clinic.olga)
    return low


@pytest.fixture
def all_of_it(clinic):
    return [str(entry.code) for entry in together.entries(clinic.olgas)]


@pytest.fixture
def client_page(clinic, flagged, sign_in):
    """What the client reads; `show` names the entries, all of them unless said."""

    def read(show=None, person=clinic.olga):
        shown = [str(one.code) for one in together.entries(clinic.olgas)] if show is None else show
        address = reverse("together:show", args=[clinic.olgas.code])
        return sign_in(person).get(address, {"chosen": "1", "show": shown})

    return read


def client_reads(text):
    """The page without what leads back: its own address is a code."""
    return re.sub(r"<aside.*?</aside>", "", text, flags=re.S)


class TestWhatIsOnIt(WithATalk):
    def test_own_words_agreements_whether_it_helped_and_own_marks(self, client_page):
        text = client_page().text
        for words in (COMMENT, SAID, AGREED, "It helped a little", "You wrote", "You said", "We agreed"):
            assert words in text, words
        for item in instruments.get("session-rating").wordings["en"].items.values():
            assert item.question in text
        assert text.count('<svg class="marks"') == 4

    def test_only_what_was_chosen(self, client_page, clinic):
        wrote, said = together.entries(clinic.olgas)
        assert (wrote.wrote, said.said) == (COMMENT, SAID)
        text = client_page(show=[str(wrote.code)]).text
        assert COMMENT in text
        assert SAID not in text
        assert AGREED not in text
        text = client_page(show=[]).text
        assert COMMENT not in text
        assert text.count('<svg class="marks"') == 4

    def test_nothing_is_shown_before_a_choice(self, clinic, flagged, sign_in):
        address = reverse("together:show", args=[clinic.olgas.code])
        answer = sign_in(clinic.olga).get(address, {"show": "all"})
        assert (answer.status_code, answer.url) == (302, reverse("together:choose", args=[clinic.olgas.code]))

    def test_codes_of_others_show_nothing(self, client_page, clinic, flagged):
        cast.rating(cast.therapy_session(clinic.carls), 380, comment="Of somebody else.")
        (other,) = (one for one in Rating.objects.all() if one.comment == "Of somebody else.")
        text = client_page(show=[str(other.code), "nonsense", ""]).text
        assert "Of somebody else." not in text

    def test_a_talk_that_was_taken_back_is_gone(self, client_page, clinic, flagged):
        discussion_actions.withdraw_discussion(discussion=Discussion.objects.get(), by=clinic.olga)
        assert SAID not in client_page(show=[str(Discussion.objects.get().code)]).text

    def test_the_marks_begin_with_the_session_of_the_first_entry(self, client_page, clinic):
        (line, *_) = client_page().context["together"].lines
        assert line.drawn.count("<circle") == 3  # of that session, of a partial rating and of the last
        (line, *_) = client_page(show=[]).context["together"].lines
        assert line.drawn.count("<circle") == 10

    def test_an_agreement_stands_between_the_marks_before_and_after_it(self, client_page):
        (entry,) = (one for one in client_page().context["together"].entries if one.agreed)
        (line, *_) = client_page().context["together"].lines
        assert entry.sign == "1"
        places = [float(x) for x in re.findall(r'cx="([\d.]+)"', line.drawn)]
        (agreed,) = re.findall(r'class="agreed" d="M([\d.]+)', line.drawn)
        assert places[0] < float(agreed) < places[1]

    def test_a_mark_that_was_left_out_is_a_gap(self, client_page):
        by_question = {one.question: one.drawn for one in client_page().context["together"].lines}
        gap = by_question["All in all, how was this session for you?"]
        assert gap.count("<circle") == 2
        path = re.search(r'class="course" d="([^"]*)"', gap).group(1)
        assert path.count("M") == 2
        assert "L" not in path

    def test_for_those_who_do_not_see_it_the_marks_are_in_the_words_of_the_form(self, client_page):
        (line, *_) = client_page().context["together"].lines
        assert "First mark: close to “Very well”. Last mark: close to “Very well”." in line.drawn

    def test_with_marks_alone_it_promises_no_words(self, clinic, flagged, sign_in):
        address = reverse("together:show", args=[clinic.olgas.code])
        alone = sign_in(clinic.olga).get(address, {"chosen": "1"}).text
        assert "Your marks" in alone
        assert "What you said" not in alone


class TestNothingOfAFlag(WithATalk):
    def test_neither_rules_sentences_questions_nor_figures(self, client_page, flagged, clinic):
        flags = list(Flag.objects.standing().select_related("session"))
        assert {flag.rule for flag in flags} >= set("ACDEF")
        text = client_reads(client_page().text)
        forbidden = {flag.sentence for flag in flags} | {flag.word for flag in flags}
        forbidden |= {rule.name for rule in flag_rules.RULES.values()}
        forbidden |= {one for lines in questions("en").values() for asked in lines.values() for one in asked}
        forbidden |= {"cutoff", "usual range", "flag", "rupture", "repair", "stable clients", "by chance"}
        forbidden |= set(repairs.WORDS.values()) - {"open"}
        read = text.lower()
        assert {words for words in forbidden if words.lower() in read} == set()
        visible = re.sub(r"<[^>]*>", " ", re.sub(r"<(script|template)\b.*?</\1>", " ", text, flags=re.S))
        totals = [one.total for one in Rating.objects.all() if one.total]
        figures = {words for total in totals for words in (points(total), scale_end(total))} | {
            "36",
            "36.0",
            "9.0",
        }
        assert {
            one for one in figures if re.search(rf"(?<![\d.]){re.escape(one)}(?![\d.])", visible)
        } == set()

    def test_control_the_course_has_what_is_looked_for(self, clinic, flagged, sign_in):
        text = sign_in(clinic.olga).get(reverse("dashboard:client", args=[clinic.olgas.code])).text.lower()
        for words in ("cutoff", "usual range", "sudden fall", "stable clients", "recovered", "32.3"):
            assert words in text, words

    def test_no_figure_of_the_dashboard_and_no_script_that_draws_one(self, client_page):
        text = client_page().text
        for part in ("application/json", "plotly", "dashboard.css", "chart.js", "htmx"):
            assert part not in text, part

    def test_no_name_and_no_way_into_the_pages_of_staff_but_the_one_back(self, client_page, clinic):
        cast.rated_course(cast.episode(clinic.olga, "Axolotl-5528"), [380, 270])
        text = client_page().text
        for name in (LABEL, "Axolotl-5528", clinic.olga.name, clinic.olga.email):
            assert name not in text, name
        links = re.findall(r'<a [^>]*href="([^"]*)"', text)
        assert links == [reverse("dashboard:client", args=[clinic.olgas.code])]
        assert "<form" not in text

    def test_it_is_cleared_like_every_page_of_staff(self, client_page):
        text = client_page().text
        assert "alliance/shield" in text
        assert 'id="idle"' in text


class TestLanguages(WithATalk):
    @pytest.mark.parametrize("language", [tag for tag, _ in site.LANGUAGES])
    def test_speaks_the_clients_language_and_the_strip_english(self, client_page, clinic, language):
        clinic.olgas.client.language = language
        clinic.olgas.client.save()
        text = client_page().text
        direction = "rtl" if language == "ar" else "ltr"
        assert f'<html lang="{language}" dir="{direction}">' in text
        with translation.override(language):
            title = translation.gettext("You said, we changed")
        assert f"<title>{title}</title>" in text
        assert instruments.get("session-rating").wordings[language].items["goals"].question in text
        assert (title == "You said, we changed") == (language == "en")
        assert "Back to the course" in text
        assert translation.get_language() == "en"

    def test_from_right_to_left_time_does_too_with_the_languages_own_digits(self, client_page, clinic):
        clinic.olgas.client.language = "ar"
        clinic.olgas.client.save()
        text = client_page().text
        (line, *_) = client_page().context["together"].lines
        places = [float(x) for x in re.findall(r'cx="([\d.]+)"', line.drawn)]
        assert places == sorted(places, reverse=True)
        assert ">١</text>" in text
        assert not re.search(r"<time[^>]*>[^<]*[0-9]", text)

    def test_a_licensed_form_is_shown_in_the_words_the_client_read(self, clinic, client_page):
        cast.wording(clinic.adam)
        cast.choose(clinic.adam, instrument="srs")
        cast.rating(cast.therapy_session(clinic.olgas), 380)
        read = Rating.objects.latest("pk").wording.wording.items
        text = client_page().text
        assert all(item.question in text for item in read.values())


class TestWho(WithATalk):
    @pytest.mark.parametrize(
        ("name", "status"), [("carl", 404), ("sina", 403), ("stefan", 403), ("adam", 403), ("strange", 403)]
    )
    @pytest.mark.parametrize("view", ["show", "choose"])
    def test_nobody_but_the_therapist(self, clinic, flagged, sign_in, name, status, view):
        browser = sign_in(getattr(clinic, name))
        shown = {"chosen": "1", "show": [str(one.code) for one in together.entries(clinic.olgas)]}
        answer = browser.get(reverse(f"together:{view}", args=[clinic.olgas.code]), shown)
        assert answer.status_code == status
        assert not {words for words in (COMMENT, SAID, AGREED, LABEL) if words in answer.text}
        if status == 404:
            absent = browser.get(reverse(f"together:{view}", args=[uuid4()]), shown)
            assert absent.content == answer.content

    def test_both_looks_are_in_the_log(self, client_page, clinic, sign_in):
        client_page()
        sign_in(clinic.olga).get(reverse("together:choose", args=[clinic.olgas.code]))
        told = AuditEvent.objects.filter(actor=clinic.olga.pk).order_by("-pk")[:2]
        assert [(one.action, one.client) for one in told] == [
            ("viewed", clinic.olgas.client.code),
            ("shown together", clinic.olgas.client.code),
        ]

    def test_the_choice_offers_every_entry_and_has_all_of_them_on(self, clinic, flagged, sign_in, all_of_it):
        text = sign_in(clinic.olga).get(reverse("together:choose", args=[clinic.olgas.code])).text
        assert re.findall(r'name="show" value="([^"]+)" checked', text) == all_of_it
        assert len(all_of_it) == 2

    def test_a_look_changes_nothing(self, client_page, clinic):
        before = [list(model.objects.values_list()) for model in (Rating, Discussion, Flag)]
        client_page()
        assert [list(model.objects.values_list()) for model in (Rating, Discussion, Flag)] == before

    def test_of_a_closed_episode_too(self, client_page, clinic):
        clinic.olgas.closed_on, clinic.olgas.ending = timezone.localdate(), "planned"
        clinic.olgas.save()
        assert SAID in client_page().text


def test_an_episode_without_anything_says_so(clinic, sign_in):
    address = reverse("together:show", args=[clinic.olgas.code])
    assert "Nothing is noted yet." in sign_in(clinic.olga).get(address, {"chosen": "1"}).text


@pytest.mark.parametrize("totals", [[None], [380], [380] * 60])
def test_any_course_can_be_drawn_inside_its_frame(clinic, totals):
    cast.rated_course(clinic.olgas, totals)
    for line in together.read(clinic.olgas, ()).lines:
        for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', line.drawn):
            assert 0 < float(x) < together.WIDTH
            assert 0 < float(y) <= together.FLOOR


def test_a_line_that_the_client_never_marked_says_so(clinic, sign_in):
    for _ in range(2):
        session = cast.therapy_session(clinic.olgas)
        cast.rating(session, None, comment=COMMENT, relationship=91, goals=57, approach=83, overall=None)
    shown = [str(one.code) for one in together.entries(clinic.olgas)]
    lines = together.read(clinic.olgas, shown).lines
    never, *others = sorted(lines, key=lambda line: "<circle" in line.drawn)
    assert 'aria-label="Not marked"' in never.drawn
    assert all("First mark" in line.drawn and "<circle" in line.drawn for line in others)


def test_asks_the_same_number_of_queries_for_3_and_30_sessions(
    clinic, sign_in, django_assert_max_num_queries
):
    browser, counts = sign_in(clinic.olga), []
    for totals in ([380, 330, 385], [380, 330, 385] * 10):
        episode = cast.episode(clinic.olga, f"K-{len(totals)}")
        for session in cast.rated_course(episode, totals):
            if flags := list(answered.still_open().filter(session=session)):
                discussion_actions.discuss(flags=flags, said="x", agreed="y", by=clinic.olga)
        shown = {"chosen": "1", "show": [str(one.code) for one in together.entries(episode)]}
        address = reverse("together:show", args=[episode.code])
        browser.get(address, shown)
        with django_assert_max_num_queries(20) as queries:
            assert browser.get(address, shown).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
