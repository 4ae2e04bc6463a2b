"""Notes in one line: what nobody sees is left out, and what is nothing but that is no note."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.line_field import LineField
from sessions_app.corrections.forms import LeaveForm
from sessions_app.flags.deferral_form import NO_REASON, DeferralForm
from sessions_app.flags.discussion_form import DiscussionForm
from sessions_app.flags.models import Flag


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("too\n much\u2028work ", "too much work"),
        ("a\x00b\x07\x1b[31m", "ab[31m"),
        ("\u202etoo much\u2066", "too much"),
        ("home\u00adwork\ufeff", "homework"),
        ("می\u200cخواهم \u200f!", "می\u200cخواهم \u200f!"),
        ("<b>x</b> 👩\u200d👧 عمل", "<b>x</b> 👩\u200d👧 عمل"),
        ("too \u200b much", "too much"),
        ("\u200b", ""),
        (" \u200d \u200f ", ""),
        ("\ud800", ""),
        (None, ""),
    ],
)
def test_what_is_kept(typed, kept):
    assert LineField(required=False).clean(typed) == kept


def test_it_is_typed_from_the_side_its_language_is_written_from():
    form = DiscussionForm()
    assert 'dir="auto"' in str(form["said"])
    assert 'dir="auto"' in str(form["agreed"])


@given(st.text(st.characters(), max_size=60))
def test_it_is_one_line_without_a_sign_that_turns_or_breaks_it(typed):
    kept = LineField(required=False).clean(typed)
    assert kept == " ".join(kept.split()) == LineField(required=False).clean(kept)
    assert not {unicodedata.bidirectional(sign) for sign in kept} & {"LRO", "RLO", "LRE", "RLE", "PDF", "B"}


def test_a_reason_that_nobody_can_see_is_none():
    form = DeferralForm({"own": "\u200b", "kind": "later"}, standing=Flag.objects.none(), calling=[])
    assert form.errors["chosen"] == [NO_REASON]


def test_every_note_of_a_therapist_in_one_line_is_one():
    notes = [*DiscussionForm().fields.values(), DeferralForm.base_fields["own"], LeaveForm.base_fields["why"]]
    assert {type(one) for one in notes} == {LineField}
