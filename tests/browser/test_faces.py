"""A child's form on a tablet: a face at each end of a line, marked and handed in as any other."""

import pytest
from playwright.sync_api import expect

from sessions_app.courses.models import Mode
from tests import cast
from tests.browser.conftest import NARROW
from tests.browser.test_rate import by_keyboard, by_tap, hand_in_from_the_review, strip, to_review, too_small
from tests.browser.test_rate_languages import choose, cut_off
from tests.browser.test_rate_one_screen import LANGUAGES, ON_ITS_SIDE, OUT_OF_SIGHT

# In the direction of reading: the sad face, the whole of the line, the glad one; in lines of one length.
IN_ORDER = """() => {
  const ahead = document.documentElement.dir === "rtl" ? -1 : 1;
  const lines = [...document.querySelectorAll(".drawn")].filter((one) => one.checkVisibility());
  const lengths = new Set(lines.map((line) => line.querySelector("[data-strip]").offsetWidth));
  return lengths.size === 1 && lines.every((line) => {
    const [sad, glad] = [...line.querySelectorAll(":scope > .face")].map((face) => face.getBoundingClientRect());
    const strip = line.querySelector("[data-strip]").getBoundingClientRect();
    const [first, last] = ahead === 1 ? [sad, glad] : [glad, sad];
    return first.right <= strip.left && strip.right <= last.left && sad.width === 44 && glad.width === 44;
  });
}"""


@pytest.fixture
def page(open_form, live_clinic):
    cast.choose(live_clinic.adam, instrument="child-session-rating")
    return open_form()


def test_a_child_sees_the_faces_marks_between_them_and_hands_in(page, finger, axe):
    for size in (None, ON_ITS_SIDE):
        if size:
            page.set_viewport_size(size)
        for language in LANGUAGES:
            choose(page, language)
            assert page.evaluate(IN_ORDER), language
            assert page.evaluate(OUT_OF_SIGHT) == [], language
    choose(page, "en")
    expect(page.get_by_role("img", name="Sad face")).to_have_count(4)
    expect(
        page.get_by_role("slider", name="How did you and your therapist get on?")
    ).to_have_accessible_description("Very badly Very well")
    assert axe(page) == []
    page.emulate_media(media="print", color_scheme="light")
    assert page.evaluate(IN_ORDER), "on paper"
    page.emulate_media(media="screen", color_scheme="dark")
    assert axe(page) == []
    touch = finger(page)
    by_tap(page, touch, "relationship", 0)
    by_tap(page, touch, "goals", 100)
    by_keyboard(page, touch, "approach", 51)
    to_review(page)
    expect(page.locator("#review .face:visible")).to_have_count(6)
    assert axe(page) == []
    rating = hand_in_from_the_review(page)
    assert rating.answers == {"relationship": 0, "goals": 100, "approach": 51, "overall": None}
    assert (rating.instrument, rating.mode) == ("child-session-rating", Mode.LINE)


def test_on_the_narrowest_phone_nothing_is_cut_off_or_small(page):
    page.set_viewport_size(NARROW)
    page.reload()
    for language in LANGUAGES:
        choose(page, language)
        assert strip(page, "relationship").is_visible()
        assert page.evaluate(IN_ORDER), language
        assert cut_off(page) == [], language
        assert too_small(page) == [], language
