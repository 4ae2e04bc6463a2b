"""What a flag means, as a page: the settings in force, an example that cannot lie, false alarms as counts."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from django.urls import reverse

from alliance.measurement import instruments
from alliance.measurement.examples import example
from alliance.measurement.false_alarms import IN_TEN, LISTS, PER_SESSION
from alliance.measurement.flag_rules import RULES, findings
from alliance.measurement.parameters import (
    ALL_RULES,
    ANY_CHANGE,
    LASTING_FALLS,
    Parameters,
    statistical_parameters,
)
from alliance.models import AuditEvent
from sessions_app.flags.models import Flag
from sessions_app.rulebook import rule_drawings, rule_pages
from tests import cast

pytestmark = pytest.mark.django_db

EACH = pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.letter)
SIMULATED = pytest.mark.parametrize(
    "rule", [rule for rule in RULES.values() if rule.is_simulated], ids=lambda one: one.letter
)
RATING = instruments.get(instruments.SESSION_RATING)
SETTINGS = [
    Parameters(),
    Parameters(cutoff=340, cutoff_operator="<=", item_cutoff=80, sudden_fall=70, decline_fall=45),
    Parameters(s0=35, own_range_minimum=6, flat_top=390, flat_top_sessions=3, missing_flag=3, missing_of=4),
]


def parsed(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314 - our own


def page_of(rule) -> str:
    return reverse("rules:rule", args=[rule.slug])


@pytest.fixture
def with_settings(monkeypatch):
    def of_the_clinic(p):
        monkeypatch.setattr(rule_pages, "parameters_in_force", lambda instrument: p)

    return of_the_clinic


class TestThePages:
    @pytest.mark.parametrize("who", ["olga", "sina", "adam"])
    def test_every_rule_is_explained_to_everybody_on_staff(self, clinic, sign_in, who):
        browser = sign_in(getattr(clinic, who))
        listed = browser.get(reverse("rules:list")).text
        for rule in RULES.values():
            page = browser.get(page_of(rule))
            assert page_of(rule) in listed
            for words in (rule.name, rule.source, rule.not_meaning):
                assert words in page.text.replace("&#x27;", "'")
            assert "no sign of suicidal thoughts" in page.text
            assert "not a grade" in page.text
        assert not AuditEvent.objects.filter(action__in=["viewed", "listed"]).exists()

    def test_a_rule_that_is_none_is_not_there(self, clinic, sign_in):
        answer = sign_in(clinic.olga).get(reverse("rules:rule", args=["no-such-rule"]))
        assert answer.status_code == 404

    def test_they_hold_nothing_about_any_client(self, clinic, sign_in, django_assert_num_queries):
        cast.rated_course(clinic.olgas, [390, 330])
        browser = sign_in(clinic.olga)
        for rule in RULES.values():
            page = browser.get(f"{page_of(rule)}?flag={Flag.objects.first().code}").text
            assert "K-1" not in page

    def test_the_list_says_which_rules_are_off(self, clinic, sign_in, with_settings):
        with_settings(replace(Parameters(), enabled=frozenset("ABCDEG")))
        browser = sign_in(clinic.olga)
        assert browser.get(reverse("rules:list")).text.count("Off in this clinic") == len(RULES) - 6
        assert "Off in this clinic" in browser.get(page_of(RULES["F"])).text
        assert "Off in this clinic" not in browser.get(page_of(RULES["C"])).text

    def test_the_definition_and_the_example_follow_the_settings(self, clinic, sign_in, with_settings):
        browser = sign_in(clinic.olga)
        assert "The total is below 36.0;" in browser.get(page_of(RULES["A"])).text
        with_settings(Parameters(cutoff=340, cutoff_operator="<="))
        page = browser.get(page_of(RULES["A"])).text
        assert "The total is at or below 34.0;" in page
        assert "The level is 34.0." in page
        assert "its own figures differ" in page

    @pytest.mark.parametrize(
        ("work_list", "calls", "quiet"),
        [(LASTING_FALLS, "lasting-fall", "decline"), (ANY_CHANGE, "decline", "lasting-fall")],
    )
    def test_a_rule_says_whether_it_calls_on_the_list_of_this_clinic(
        self, clinic, sign_in, with_settings, work_list, calls, quiet
    ):
        with_settings(Parameters(work_list=work_list))
        browser = sign_in(clinic.olga)
        for slug, words in (
            (calls, "puts the client on the work list"),
            (quiet, "quiet mark, not on the work list"),
        ):
            assert words in browser.get(reverse("rules:rule", args=[slug])).text

    def test_a_lasting_fall_says_that_one_that_goes_on_calls_again(self, clinic, sign_in, with_settings):
        with_settings(Parameters(badge_fall=30, quiet_rise=50))
        page = " ".join(sign_in(clinic.olga).get(page_of(RULES["J"])).text.split())
        assert "neither fallen 3.0 points further nor been 5.0 points higher" in page
        assert "calls again at the fifth rating after a call, and begins another low point there." in page

    def test_the_page_of_the_rules_says_what_the_list_is_and_how_sure(self, clinic, sign_in, with_settings):
        browser = sign_in(clinic.olga)
        page = browser.get(reverse("rules:list")).text
        assert "Three things: a low start" in page
        assert "That keeps the list short." in page
        for name in ("as shipped", "former"):
            assert f">{LISTS['standard'][name][1]:.1f}<" in page
        assert "its own figures differ" not in page
        with_settings(Parameters(cutoff=340))
        assert "its own figures differ" in browser.get(reverse("rules:list")).text

    def test_where_the_settings_allow_no_example_it_is_drawn_as_shipped_and_says_so(
        self, clinic, sign_in, with_settings
    ):
        with_settings(statistical_parameters(0, 400))
        page = sign_in(clinic.olga).get(page_of(RULES["A"])).text
        assert "this form has none" in page
        assert "Drawn with the settings as they come" in page
        assert "data-raised" in page

    def test_the_conversation_has_its_seven_steps(self, clinic, sign_in):
        page = sign_in(clinic.sina).get(reverse("rules:conversation")).text
        steps = re.search(r'<ol class="steps steps--long">(.*?)</ol>', page, re.S)[1]
        assert steps.count("<li>") == 7
        for words in ("all marks are high", "early marks are low", "Not a sign of suicidal thoughts"):
            assert words in page


class TestFigures:
    @SIMULATED
    def test_false_alarms_are_counts_of_a_hundred(self, clinic, sign_in, rule):
        page = re.sub(r"<[^>]+>", "", sign_in(clinic.olga).get(page_of(rule)).text)
        sessions = round(PER_SESSION["standard"][rule.letter] * 100)
        clients = round(IN_TEN["standard"][rule.letter] * 100)
        assert f"In 100 sessions of clients for whom nothing is wrong, {sessions} have this flag." in page
        assert f"Of 100 such clients, {clients} have it at least once in their first ten sessions." in page

    def test_what_was_not_simulated_has_no_figures(self, clinic, sign_in):
        page = sign_in(clinic.olga).get(page_of(RULES["L"])).text
        assert "Where the rule comes from" in page
        assert "How sure is it?" not in page

    @SIMULATED
    def test_the_table_has_all_populations(self, rule):
        shown = rule_pages.build(rule)
        expected = [
            rule_pages.of_a_hundred(PER_SESSION[name][rule.letter]) for name in rule_pages.POPULATIONS
        ]
        assert [row.sessions for row in shown.rates] == expected
        assert bool(shown.rates[0].new) is (rule.letter == "A")

    @pytest.mark.parametrize(("share", "count"), [(0.33787, "34"), (0.00499, "fewer than 1"), (0.00553, "1")])
    def test_a_share_is_a_count(self, share, count):
        assert rule_pages.of_a_hundred(share) == count

    def test_the_dots_are_as_many(self):
        dots = parsed(rule_drawings.a_hundred(34))
        assert [dot.get("class") for dot in dots] == ["full"] * 34 + ["empty"] * 66

    def test_what_is_found_stands_beside_what_chance_finds(self, clinic, sign_in, monkeypatch):
        monkeypatch.setattr(
            rule_pages, "DETECTION", {"standard": {"fall": {"C": (0.648, 0.2456)}, "slide": {}}}
        )
        page = re.sub(r"<[^>]+>", "", sign_in(clinic.olga).get(page_of(RULES["C"])).text)
        assert "falls by 5 for three sessions, 65 of 100 clients have this flag in those sessions" in page
        assert "where nothing happens, 25 of 100 do" in page
        assert rule_pages.build(RULES["F"]).detections == []

    def test_queries_are_few_and_the_same(self, clinic, django_assert_max_num_queries):
        with django_assert_max_num_queries(2):
            rule_pages.build(RULES["E"])
        with django_assert_max_num_queries(2):
            rule_pages.listing(Parameters())


class TestTheDrawing:
    """Parsed again, it must say what the rules say of its course."""

    def drawn(self, letter, p):
        shown = example(letter, p)
        return shown, parsed(rule_drawings.drawing(shown, RATING))

    @pytest.mark.parametrize("p", SETTINGS)
    @EACH
    def test_it_marks_the_sessions_at_which_the_rules_raise_the_flag_and_no_other(self, rule, p):
        shown, svg = self.drawn(rule.letter, p)
        marked = [mark.get("data-raised") for mark in svg.iter() if mark.get("class") == "raised"]
        if rule.letter in "BL":
            assert marked == ["goals"]
            return
        every = replace(p, enabled=ALL_RULES)
        raised = [
            str(session.number)
            for session, found in zip(shown.sessions, findings(shown.sessions, every), strict=True)
            if rule.letter in [finding.rule for finding in found]
        ]
        assert marked == raised
        assert marked

    @pytest.mark.parametrize("p", SETTINGS)
    @pytest.mark.parametrize("letter", [letter for letter in RULES if letter not in "BGL"])
    def test_its_points_stand_where_the_totals_are(self, letter, p):
        shown, svg = self.drawn(letter, p)
        dots = [float(dot.get("cy")) for dot in svg.iter() if dot.get("class") == "dot"]
        totals = [total for total in shown.totals if total is not None]
        assert len(dots) == len(totals)
        # Higher totals stand higher, equal ones equally high, and all of them inside the picture.
        order = sorted(range(len(totals)), key=lambda place: (-totals[place], place))
        heights = [dots[place] for place in order]
        assert heights == sorted(heights)
        assert all(rule_drawings.TOP <= y <= rule_drawings.BOTTOM for y in dots)

    @pytest.mark.parametrize("p", SETTINGS)
    @pytest.mark.parametrize("letter", "AF")
    def test_the_level_divides_what_is_raised_from_what_is_not(self, letter, p):
        _, svg = self.drawn(letter, p)
        level = next(path.get("d") for path in svg.iter() if path.get("class") == "cutoff")
        y = float(re.match(r"M\S+ (\S+)H", level)[1])
        last = [float(dot.get("cy")) for dot in svg.iter() if dot.get("class") == "dot"][-1]
        assert (last > y) if letter == "A" else (last <= y)

    def test_the_usual_range_is_drawn_and_the_point_is_below_it(self):
        _, svg = self.drawn("E", Parameters())
        band = next(one for one in svg.iter() if one.get("class") == "band")
        corners = [tuple(map(float, pair.split(","))) for pair in band.get("points").split()]
        x, y = max((float(d.get("cx")), float(d.get("cy"))) for d in svg.iter() if d.get("class") == "dot")
        assert max(height for place, height in corners if place == x) < y

    @EACH
    def test_its_words_say_the_same(self, rule):
        shown, svg = self.drawn(rule.letter, Parameters())
        words = svg.get("aria-label")
        assert svg.get("role") == "img"
        if rule.letter == "B":
            assert "goals and topics 8.2" in words
        elif rule.letter == "L":
            assert "both without goals and topics" in words
        else:
            assert words.count("no rating") == shown.totals.count(None)
            assert f" {shown.sessions[-1].number}." in words

    def test_control_another_course_is_another_picture(self):
        _, one = self.drawn("A", SETTINGS[0])
        _, other = self.drawn("A", SETTINGS[1])
        assert one.get("aria-label") != other.get("aria-label")


class TestAtTheFlag:
    @pytest.fixture
    def page(self, clinic, sign_in):
        def opened(totals, who="olga"):
            cast.rated_course(clinic.olgas, totals)
            where = "dashboard" if who == "olga" else "caseload"
            return (
                sign_in(getattr(clinic, who)).get(reverse(f"{where}:client", args=[clinic.olgas.code])).text
            )

        return opened

    @pytest.mark.parametrize("who", ["olga", "sina"])
    def test_its_rule_is_one_press_away(self, page, who):
        shown = page([390, 330], who)
        for letter in "CA":
            assert f'<a class="flag-mark" href="{page_of(RULES[letter])}" data-rule="{letter}"' in shown
        assert "How sure is this?" in shown

    def test_how_to_talk_about_it_is_folded_beside_it(self, page):
        shown = page([390, 390, 390, 330])
        assert "How to talk about it" in shown
        assert "Look together at the lowest line" in shown
        assert "dares to tell" not in shown

    def test_all_marks_high(self, page):
        assert "All marks are high: welcome them" in page([400, 400, 400, 400])

    def test_low_early_marks(self, page):
        assert "dares to tell" in page([330])

    def test_other_ways_to_ask_are_there(self, page):
        shown = page([390, 330])
        folded = re.search(r"Other ways to ask</summary>\s*<ul>(.*?)</ul>", shown, re.S)[1]
        assert folded.count("<li>") == 2

    def test_in_lists_the_mark_is_no_link(self, clinic, sign_in):
        cast.rated_course(clinic.olgas, [390, 330])
        shown = sign_in(clinic.olga).get(reverse("dashboard:work_list")).text
        assert 'a class="flag-mark"' not in shown
        assert 'span class="flag-mark"' in shown

    @pytest.mark.parametrize("who", ["olga", "sina", "adam"])
    def test_every_page_of_staff_leads_there(self, clinic, sign_in, who):
        shown = sign_in(getattr(clinic, who)).get("/", follow=True).text
        assert f'<li><a href="{reverse("rules:list")}">How flags work</a></li>' in shown

    def test_whoever_holds_no_role_is_not_led_there(self, clinic, sign_in):
        assert reverse("rules:list") not in sign_in(clinic.strange).get("/").text
