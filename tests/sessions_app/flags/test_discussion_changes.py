"""A note of a conversation is edited, taken back and put back; nothing that was said is ever lost."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alliance.models import AuditEvent
from alliance.refused import Refused
from sessions_app.conversations import follow_up_actions
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.flags import deferral_actions, discussion_actions
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.discussion_changes import DiscussionChange
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.models import Discussion
from tests import cast
from tests.sessions_app import answered

pytestmark = pytest.mark.usefixtures("former_list")
DAY = timedelta(days=1)


@pytest.fixture
def note(clinic):
    *_, low = cast.rated_course(clinic.olgas, [380, 330], last_ago=2 * DAY)
    return discussion_actions.discuss(
        flags=low.flags.all(), said="Too fast.", agreed="Slower.", by=clinic.olga
    )


def edited(note, by, **words):
    words = {"said": "Too loud.", "agreed": "Softer.", "why": "A slip.", "version": 1, **words}
    return discussion_actions.edit_discussion(discussion=note, by=by, **words)


class TestEditing:
    def test_keeps_the_earlier_words_and_the_moment_of_the_talk(self, clinic, note):
        now = edited(note, clinic.olga)
        assert (now.pk, now.said, now.agreed, now.discussed_at) == (
            note.pk,
            "Too loud.",
            "Softer.",
            note.discussed_at,
        )
        (change,) = DiscussionChange.objects.all()
        assert (change.kind, change.said, change.agreed, change.why, change.changed_by) == (
            "edited",
            "Too fast.",
            "Slower.",
            "A slip.",
            clinic.olga,
        )
        assert answered.discussed().count() == 2
        event = AuditEvent.objects.get(action="discussion changed")
        assert (event.actor, event.client, event.detail) == (clinic.olga.pk, clinic.olgas.client.code, {})

    def test_stale_words_are_refused_and_nothing_is_written(self, clinic, note):
        edited(note, clinic.olga)
        with pytest.raises(Refused, match="changed meanwhile"):
            edited(note, clinic.olga, said="Too long.")
        assert Discussion.objects.get().said == "Too loud."
        assert DiscussionChange.objects.count() == 1

    def test_pressed_twice_it_is_changed_once(self, clinic, note):
        for _ in range(2):
            edited(note, clinic.olga)
        assert DiscussionChange.objects.count() == 1
        assert AuditEvent.objects.filter(action="discussion changed").count() == 1

    def test_taken_back_it_cannot_be_edited(self, clinic, note):
        discussion_actions.withdraw_discussion(discussion=note, by=clinic.olga, why="x")
        with pytest.raises(Refused, match="Put it back first"):
            edited(note, clinic.olga, version=2)

    def test_lists_are_drawn_again(self, clinic, note):
        before = EpisodeStanding.objects.get(episode=clinic.olgas).revision
        edited(note, clinic.olga)
        assert EpisodeStanding.objects.get(episode=clinic.olgas).revision != before

    def test_an_agreement_that_is_left_empty_is_none_any_more(self, clinic, note):
        edited(note, clinic.olga, agreed="")
        assert EpisodeStanding.objects.get(episode=clinic.olgas).agreement is None

    def test_but_not_where_it_was_said_whether_it_helped(self, clinic, note):
        Discussion.objects.update(discussed_at=timezone.now() - DAY)
        cast.rating(cast.therapy_session(clinic.olgas), 380)
        follow_up = follow_up_actions.note(discussion=note, answer="helped", by=clinic.olga)
        with pytest.raises(Refused, match="whether this agreement helped"):
            edited(note, clinic.olga, agreed="")
        follow_up_actions.change_follow_up(follow_up=follow_up, answer="", by=clinic.olga)
        assert edited(note, clinic.olga, agreed="").agreed == ""


class TestTakingBack:
    def test_opens_the_flags_and_putting_back_settles_them(self, clinic, note):
        discussion_actions.withdraw_discussion(discussion=note, by=clinic.olga, why="Another client.")
        assert answered.calling().count() == 2
        assert DiscussionChange.objects.get().why == "Another client."
        discussion_actions.put_back_discussion(discussion=note, by=clinic.olga)
        assert answered.discussed().count() == 2
        assert [one.kind for one in DiscussionChange.objects.all()] == ["taken back", "put back"]
        actions = ("discussion withdrawn", "discussion put back")
        assert AuditEvent.objects.filter(action__in=actions, client=clinic.olgas.client.code).count() == 2

    def test_twice_is_once_both_ways(self, clinic, note):
        for _ in range(2):
            discussion_actions.withdraw_discussion(discussion=note, by=clinic.olga)
        for _ in range(2):
            discussion_actions.put_back_discussion(discussion=note, by=clinic.olga)
        assert DiscussionChange.objects.count() == 2

    def test_words_that_one_did_not_see_are_not_taken_back(self, clinic, note):
        edited(note, clinic.olga)
        with pytest.raises(Refused, match="changed meanwhile"):
            discussion_actions.withdraw_discussion(discussion=note, by=clinic.olga, why="x", version=1)
        assert Discussion.objects.standing().exists()

    def test_noted_again_meanwhile_it_is_not_put_back_beside_itself(self, clinic, note):
        discussion_actions.withdraw_discussion(discussion=note, by=clinic.olga)
        discussion_actions.discuss(flags=note.flags.all(), said="Too fast.", agreed="Slower.", by=clinic.olga)
        with pytest.raises(Refused, match="stand already"):
            discussion_actions.put_back_discussion(discussion=note, by=clinic.olga)
        assert Discussion.objects.standing().count() == 1


class TestUndo:
    """Case 13: pressed at a talk of months ago, it took everything away without a question or a trace."""

    def test_undo_of_a_talk_of_months_ago_is_refused_and_says_what_to_do(self, clinic, note):
        Discussion.objects.update(discussed_at=timezone.now() - 90 * DAY)
        note.refresh_from_db()
        with pytest.raises(Refused, match="Use Take back"):
            discussion_actions.undo_discussion(discussion=note, by=clinic.olga)
        assert Discussion.objects.standing().get().said == "Too fast."

    def test_right_after_the_act_it_works_and_leaves_a_trace(self, clinic, note):
        for _ in range(2):
            discussion_actions.undo_discussion(discussion=note, by=clinic.olga)
        assert not Discussion.objects.standing().exists()
        assert DiscussionChange.objects.get().why == discussion_actions.UNDONE

    def test_words_that_were_edited_since_are_not_undone(self, clinic, note):
        edited(note, clinic.olga)
        with pytest.raises(Refused, match="changed since"):
            discussion_actions.undo_discussion(discussion=note, by=clinic.olga)

    def test_nor_is_a_decision_or_an_answer_of_long_ago(self, clinic, note):
        Discussion.objects.update(discussed_at=timezone.now() - 20 * DAY)
        cast.rating(cast.therapy_session(clinic.olgas), 250)
        answer = follow_up_actions.note(discussion=note, answer="helped", by=clinic.olga)
        decision = deferral_actions.defer(
            episode=clinic.olgas, flags=answered.calling(), kind="later", why="x", by=clinic.olga
        )
        long_ago = timezone.now() - timedelta(minutes=11)
        FollowUp.objects.update(noted_at=long_ago)
        Deferral.objects.update(deferred_at=long_ago)
        answer.refresh_from_db()
        decision.refresh_from_db()
        with pytest.raises(Refused, match="Use Change"):
            follow_up_actions.undo(follow_up=answer, by=clinic.olga)
        with pytest.raises(Refused, match="Use Take back"):
            deferral_actions.undo(deferral=decision, by=clinic.olga)
        assert FollowUp.objects.standing().exists()
        assert Deferral.objects.standing().exists()


class TestDidItHelp:
    @pytest.fixture
    def answer(self, clinic, note):
        Discussion.objects.update(discussed_at=timezone.now() - DAY)
        cast.rating(cast.therapy_session(clinic.olgas), 380)
        return follow_up_actions.note(discussion=note, answer="helped", by=clinic.olga)

    def test_another_answer_is_a_row_of_its_own_at_the_same_moment(self, clinic, answer):
        for _ in range(2):
            changed = follow_up_actions.change_follow_up(follow_up=answer, answer="partly", by=clinic.olga)
        assert (changed.noted_at, changed.session) == (answer.noted_at, answer.session)
        assert FollowUp.objects.count() == 2
        assert FollowUp.objects.standing().get().answer == "partly"
        assert AuditEvent.objects.filter(action="follow-up changed").count() == 1

    def test_a_stale_page_changes_nothing(self, clinic, answer):
        follow_up_actions.change_follow_up(follow_up=answer, answer="partly", by=clinic.olga)
        with pytest.raises(Refused, match="changed meanwhile"):
            follow_up_actions.change_follow_up(follow_up=answer, answer="not_yet", by=clinic.olga)
        assert FollowUp.objects.standing().get().answer == "partly"

    def test_it_can_be_taken_back_and_given_again(self, clinic, note, answer):
        for _ in range(2):
            follow_up_actions.change_follow_up(follow_up=answer, answer="", by=clinic.olga)
        assert not FollowUp.objects.standing().exists()
        assert AuditEvent.objects.filter(action="follow-up undone").count() == 1
        follow_up_actions.note(discussion=note, answer="not_yet", by=clinic.olga)
        assert FollowUp.objects.standing().get().answer == "not_yet"
