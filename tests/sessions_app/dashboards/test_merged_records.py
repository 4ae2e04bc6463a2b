"""Pages that are kept, and those that ask whether something is new, follow an episode to another record."""

import pytest
from django.urls import reverse

from alliance import audit
from alliance.log_events import LogEvent
from clients import merge_actions
from clients.models import Episode
from sessions_app.dashboards import change_stamp
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def again(clinic):
    """The person of Olga's K-1 a second time: K-1b of Carl."""
    episode = cast.episode(clinic.carl, "K-1b")
    cast.rated_course(episode, [380, 330])
    return episode


def stamp(episode):
    return change_stamp.stamp(Episode.objects.filter(pk=episode.pk))


def merged(clinic, again):
    return merge_actions.merge_clients(
        kept=clinic.olgas.client, merged=again.client, seen=[clinic.olgas.code, again.code], by=clinic.adam
    )


def test_every_page_of_the_therapist_has_the_label_of_the_kept_record_and_after_the_undo_its_own(
    clinic, again, sign_in
):
    browser = sign_in(clinic.carl)
    addresses = [reverse("dashboard:work_list"), reverse("dashboard:client", args=[again.code])]

    def show(label, not_this):
        for address in addresses:
            text = browser.get(address).text
            assert f">{label}<" in text.replace(" ", "").replace("\n", ""), address
            assert f">{not_this}<" not in text.replace(" ", "").replace("\n", ""), address

    show("K-1b", "K-1")
    done = merged(clinic, again)
    show("K-1", "K-1b")
    merge_actions.undo_merge(merge=done, by=clinic.adam)
    show("K-1b", "K-1")


def test_the_stamp_changes_with_a_merge_with_each_write_after_it_and_with_the_undo(clinic, again):
    seen = [stamp(again)]
    done = merged(clinic, again)
    seen.append(stamp(again))
    again.refresh_from_db()
    cast.therapy_session(again)
    cast.rating(again.sessions.last(), 320)
    seen.append(stamp(again))
    merge_actions.undo_merge(merge=done, by=clinic.adam)
    seen.append(stamp(again))
    assert len(set(seen)) == len(seen)


def test_a_write_that_waited_for_the_merge_and_names_the_former_record_is_noticed(clinic, again):
    former = again.client
    merged(clinic, again)
    before = stamp(again)
    audit.record(LogEvent.DISCUSSED, again, by=clinic.carl, client=former.code)
    assert stamp(again) != before
