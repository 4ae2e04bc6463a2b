"""Records of one person: merged, moved, and taken back; what is clinical moves with its episode."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent
from alliance.refused import Gone, Refused
from clients import actions, merge_actions
from clients.access_log import lines
from clients.log_forms import LogSearch
from clients.merges import codes_of_records
from clients.models import Client, ClientMerge, DifferentClients, Ending, Episode, EpisodeMove
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating
from sessions_app.flags import checks
from sessions_app.intake import hand_over_actions
from sessions_app.records import erasure_actions
from tests import cast
from tests.opened import opened
from tests.sessions_app.intake.test_races import handing_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def twice(clinic):
    """K-1 of Olga, and the same person a second time: K-1b of Carl."""
    clinic.again = cast.episode(clinic.carl, "K-1b")
    clinic.kept, clinic.merged = clinic.olgas.client, clinic.again.client
    return clinic


def seen(*clients):
    return set(Episode.objects.filter(client__in=clients).values_list("code", flat=True))


def merge(clinic, kept=None, merged=None, **options):
    kept, merged = kept or clinic.kept, merged or clinic.merged
    options = {"seen": seen(kept, merged), "by": clinic.adam, **options}
    return merge_actions.merge_clients(kept=kept, merged=merged, **options)


def labels_of(user, browser):
    return [client.label for client in browser.get(reverse("clients:list")).context["clients"]]


def client_of(episode):
    return Episode.objects.get(pk=episode.pk).client.label


# --- Merging -------------------------------------------------------------------------------------


def test_the_same_person_twice_becomes_one_record_and_nothing_of_the_courses_changes(twice, sign_in):
    cast.rated_course(twice.again, [380, 330])
    before = Rating.objects.values_list("pk", "total", "session__episode").order_by("pk")
    stored = list(before)
    merge(twice)
    assert list(before) == stored
    assert client_of(twice.again) == client_of(twice.olgas) == "K-1"
    assert labels_of(twice.adam, sign_in(twice.adam)) == ["K-1", "K-2"]
    assert labels_of(twice.carl, sign_in(twice.carl)) == ["K-1", "K-2"]
    assert labels_of(twice.olga, sign_in(twice.olga)) == ["K-1"]
    assert list(checks.differing([twice.again.pk])) == []


def test_the_address_of_the_merged_record_leads_on_for_those_who_may_see_it(twice, sign_in):
    merge(twice)
    old, new = (reverse("clients:client", args=[one.code]) for one in (twice.merged, twice.kept))
    for who in (twice.adam, twice.carl, twice.olga):
        assert sign_in(who).get(old).url == new
    stranger = cast.person("Nora", "therapist")
    assert sign_in(stranger).get(old).status_code == sign_in(stranger).get(new).status_code == 404
    assert sign_in(twice.carl).get(reverse("clients:change", args=[twice.merged.code])).status_code == 200


def test_a_therapist_is_told_the_label_they_knew_and_nothing_of_the_colleague(twice, sign_in):
    merge(twice)
    address = reverse("clients:client", args=[twice.kept.code])
    carls, olgas = sign_in(twice.carl).get(address).text, sign_in(twice.olga).get(address).text
    assert "K-1b" in carls
    assert "Olga" not in carls
    assert "K-1b" not in olgas
    assert "Carl" not in olgas


def test_two_open_episodes_with_one_therapist_are_refused_until_one_is_closed(twice):
    other = cast.episode(twice.olga, "K-1c")
    with pytest.raises(Refused, match=r"Both records have an open episode with Olga.*Close one"):
        merge(twice, merged=other.client)
    assert not ClientMerge.objects.exists()
    today = timezone.localdate()
    actions.close_episode(episode=other, closed_on=today, ending=Ending.PLANNED, by=twice.adam)
    merge(twice, merged=other.client)
    assert client_of(other) == "K-1"


def test_what_was_not_shown_does_not_move(twice):
    shown = seen(twice.kept, twice.merged)
    nora = cast.person("Nora", "therapist")
    today = timezone.localdate()
    actions.open_episode(client=twice.merged, therapist=nora, opened_on=today, by=twice.adam)
    with pytest.raises(Refused, match="has changed since this page was opened"):
        merge(twice, seen=shown)
    merge(twice)


def test_a_record_is_merged_once_and_takes_no_new_episode(twice):
    merge(twice)
    third = cast.episode(twice.olga, "K-3").client
    for kept, merged in ((third, twice.merged), (twice.merged, third)):
        with pytest.raises(Refused, match="merged with another record already"):
            merge(twice, kept=kept, merged=merged)
    with pytest.raises(Refused, match="merged with another record meanwhile"):
        actions.open_episode(
            client=twice.merged, therapist=twice.olga, opened_on=timezone.localdate(), by=twice.adam
        )
    with pytest.raises(Refused, match="This is one record"):
        merge(twice, kept=third, merged=third)


def test_a_stale_change_of_the_details_does_not_bring_a_merged_record_back(twice):
    stale = Client.objects.get(pk=twice.merged.pk)
    merge(twice)
    actions.change_client(client=stale, label="K-1b", language="en", age_band="adult", by=twice.carl)
    assert Client.objects.get(pk=stale.pk).merged_into == twice.kept


def test_a_form_that_is_out_stays_valid(twice):
    session = cast.therapy_session(twice.again)
    grant, _ = hand_over_actions.hand_over(session=session, by=twice.carl)
    done = merge(twice)
    rating = handing_in(grant, 380)()
    assert rating.session.episode_id == twice.again.pk
    again, _ = hand_over_actions.hand_over(session=cast.therapy_session(twice.again), by=twice.carl)
    merge_actions.undo_merge(merge=done, by=twice.adam)
    assert handing_in(again, 370)().session.episode.client == twice.merged
    assert RatingGrant.objects.filter(rating__isnull=False).count() == 2


# --- Undo ----------------------------------------------------------------------------------------


def test_undo_puts_back_exactly_what_moved_and_leaves_what_was_opened_since(twice):
    done = merge(twice)
    nora = cast.person("Nora", "therapist")
    today = timezone.localdate()
    since = actions.open_episode(client=twice.kept, therapist=nora, opened_on=today, by=twice.adam)
    merge_actions.undo_merge(merge=done, by=twice.adam)
    assert [client_of(one) for one in (twice.again, twice.olgas, since)] == ["K-1b", "K-1", "K-1"]
    assert Client.objects.get(pk=twice.merged.pk).merged_into is None
    with pytest.raises(Refused, match="undone already"):
        merge_actions.undo_merge(merge=done, by=twice.adam)
    merge(twice)


def test_undo_is_possible_for_thirty_days(twice, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    done = merge(twice)
    time_machine.shift(timedelta(days=30))
    merge_actions.undo_merge(merge=done, by=twice.adam)
    done = merge(twice)
    time_machine.shift(timedelta(days=30, seconds=1))
    with pytest.raises(Refused, match="more than 30 days ago"):
        merge_actions.undo_merge(merge=done, by=twice.adam)
    assert client_of(twice.again) == "K-1"


def test_a_chain_of_merges_leads_to_its_end_and_is_undone_from_there(twice):
    third = cast.episode(cast.person("Nora", "therapist"), "K-3")
    first = merge(twice)
    second = merge(twice, kept=third.client, merged=twice.kept)
    ends = dict(Client.objects.values_list("label", "merged_into__label"))
    assert (ends["K-1b"], ends["K-1"]) == ("K-3", "K-3")
    with pytest.raises(Refused, match="K-1 was itself merged"):
        merge_actions.undo_merge(merge=first, by=twice.adam)
    merge_actions.undo_merge(merge=second, by=twice.adam)
    assert [client_of(one) for one in (twice.again, twice.olgas, third)] == ["K-1", "K-1", "K-3"]
    assert Client.objects.get(label="K-1b").merged_into.label == "K-1"
    merge_actions.undo_merge(merge=first, by=twice.adam)
    assert client_of(twice.again) == "K-1b"


def test_an_episode_that_was_moved_on_is_named_before_a_merge_is_undone(twice):
    done = merge(twice)
    third = cast.episode(cast.person("Nora", "therapist"), "K-3").client
    twice.again.refresh_from_db()
    move = merge_actions.move_episode(episode=twice.again, to=third, why="hers", by=twice.adam)
    with pytest.raises(Refused, match="The episode with Carl was moved to K-3 since"):
        merge_actions.undo_merge(merge=done, by=twice.adam)
    merge_actions.undo_move(move=move, by=twice.adam)
    merge_actions.undo_merge(merge=done, by=twice.adam)


# --- One episode ---------------------------------------------------------------------------------


@pytest.fixture
def two_episodes(twice):
    """Carl's episode was opened under K-1 and belongs to K-1b, whose own one is with Nora."""
    merge(twice)
    twice.again.refresh_from_db()
    twice.nora = cast.person("Nora", "therapist")
    twice.theirs = cast.episode(twice.nora, "K-7").client
    return twice


def test_an_episode_moves_between_records_and_back(two_episodes):
    clinic = two_episodes
    options = {"episode": clinic.again, "to": clinic.theirs, "by": clinic.adam}
    move = merge_actions.move_episode(why="Opened under the wrong client", **options)
    assert (client_of(clinic.again), client_of(clinic.olgas)) == ("K-7", "K-1")
    with pytest.raises(Refused, match=r"moved meanwhile|under K-7 already"):
        merge_actions.move_episode(why="again", **options)
    merge_actions.undo_move(move=move, by=clinic.adam)
    assert client_of(clinic.again) == "K-1"
    with pytest.raises(Refused, match="moved back already"):
        merge_actions.undo_move(move=move, by=clinic.adam)
    assert EpisodeMove.objects.filter(merge=None).count() == 1


def test_what_cannot_move_says_why(two_episodes):
    clinic = two_episodes
    options = {"why": "x", "by": clinic.adam}
    with pytest.raises(Refused, match="only episode of K-7"):
        merge_actions.move_episode(
            episode=Episode.objects.get(client=clinic.theirs), to=clinic.kept, **options
        )
    with pytest.raises(Refused, match="K-1b was merged"):
        merge_actions.move_episode(episode=clinic.again, to=clinic.merged, **options)
    with pytest.raises(Refused, match="is under K-1 already"):
        merge_actions.move_episode(episode=clinic.again, to=clinic.kept, **options)
    with pytest.raises(Refused, match="Both records have an open episode with Carl"):
        merge_actions.move_episode(episode=clinic.again, to=clinic.carls.client, **options)
    move = EpisodeMove.objects.get()
    with pytest.raises(Refused, match="moved with a merge"):
        merge_actions.undo_move(move=move, by=clinic.adam)


@pytest.fixture
def moved(two_episodes):
    """Carl's episode is under K-7 now."""
    two_episodes.move = merge_actions.move_episode(
        episode=two_episodes.again, to=two_episodes.theirs, why="theirs", by=two_episodes.adam
    )
    return two_episodes


def undone(clinic, **options):
    return merge_actions.undo_move(**{"move": clinic.move, "by": clinic.adam, **options})


def test_a_move_is_not_undone_past_a_later_one(moved):
    moved.again.refresh_from_db()
    third = cast.episode(moved.nora, "K-8").client
    later = merge_actions.move_episode(episode=moved.again, to=third, why="x", by=moved.adam)
    with pytest.raises(Refused, match="moved on since"):
        undone(moved)
    assert client_of(moved.again) == "K-8"
    undone(moved, move=later)
    undone(moved)
    assert client_of(moved.again) == "K-1"


def test_a_move_is_not_undone_into_a_record_that_was_merged_away(moved):
    third = cast.episode(moved.nora, "K-8").client
    done = merge(moved, kept=third, merged=moved.kept)
    with pytest.raises(Refused, match="K-1 was merged with another record since"):
        undone(moved)
    assert client_of(moved.again) == "K-7"
    merge_actions.undo_merge(merge=done, by=moved.adam)
    undone(moved)
    assert client_of(moved.again) == "K-1"


def test_a_move_is_not_undone_where_the_client_has_begun_with_the_same_therapist_anew(moved):
    today = timezone.localdate()
    actions.open_episode(client=moved.kept, therapist=moved.carl, opened_on=today, by=moved.adam)
    with pytest.raises(Refused, match="Both records have an open episode with Carl"):
        undone(moved)
    assert client_of(moved.again) == "K-7"
    assert EpisodeMove.objects.get(pk=moved.move.pk).undone_at is None


def erased(clinic, record):
    asked = erasure_actions.ask(client=record, reason="asked", note="", by=clinic.adam)
    agnes = cast.person("Agnes", "administrator")
    erasure_actions.confirm(erasure=asked, by=agnes)


def test_what_was_erased_while_the_page_was_open_is_neither_merged_nor_moved(moved):
    """Each write with the rows that a page has read before."""
    erased(moved, moved.theirs)
    lines = AuditEvent.objects.count()
    for write in (
        lambda: merge(moved, merged=moved.theirs),
        lambda: merge_actions.move_episode(episode=moved.olgas, to=moved.theirs, why="x", by=moved.adam),
        lambda: merge_actions.move_episode(
            episode=moved.again, to=moved.carls.client, why="x", by=moved.adam
        ),
        lambda: undone(moved),
        lambda: merge_actions.tell_apart(one=moved.kept, other=moved.theirs, by=moved.adam),
    ):
        with pytest.raises(Gone, match="it was erased"):
            write()
    assert AuditEvent.objects.count() == lines
    assert not DifferentClients.objects.exists()


def test_an_episode_is_gone_with_the_record_it_was_moved_to_meanwhile(moved):
    """The page was opened while it was still under K-1, a record that is there."""
    stale = Episode.objects.get(pk=moved.again.pk)
    stale.client = moved.kept
    erased(moved, moved.theirs)
    with pytest.raises(Gone):
        merge_actions.move_episode(episode=stale, to=moved.carls.client, why="x", by=moved.adam)


# --- The log -------------------------------------------------------------------------------------


def told(search):
    form = LogSearch({"client": search, "action": "everything"})
    return [line.sentence for line in lines(form.found(), form.about)]


def test_the_log_of_the_kept_client_has_the_lines_of_the_merged_one(twice):
    session = cast.therapy_session(twice.again)
    cast.rating(session)
    assert not any("K-1b" in sentence for sentence in told("K-2"))
    done = merge(twice)
    cast.rating(cast.therapy_session(twice.again))
    for search in ("k-1", "K-1B"):
        found = told(search)
        assert sum("gave a rating" in sentence for sentence in found) == 2
        assert "Adam merged client K-1b into client K-1" in found
        assert "Adam merged client K-1b into client K-1" in found
    merge_actions.undo_merge(merge=done, by=twice.adam)
    assert codes_of_records(Client.objects.filter(label="K-1")) == {twice.kept.code}
    assert "Adam took client K-1b out of client K-1 again, as before their merge" in told("K-1b")
    assert all("comment" not in str(event.detail) for event in AuditEvent.objects.all())


# --- The pages -----------------------------------------------------------------------------------


@pytest.fixture
def office(twice, sign_in):
    return sign_in(twice.adam)


def preview(browser, one, other):
    return browser.get(reverse("clients:merge", args=[one.code]), {"other": other.code})


def test_an_administrator_merges_with_a_preview_and_undoes_it(twice, office):
    chooser = office.get(reverse("clients:merge", args=[twice.kept.code]), {"q": "1B"})
    assert [one.label for one in chooser.context["records"]] == ["K-1b"]
    shown = preview(office, twice.kept, twice.merged)
    assert "1 episode moves to it from K-1b" in shown.text
    form = shown.context["form"]
    address = f"{reverse('clients:merge', args=[twice.kept.code])}?other={twice.merged.code}"
    refused = office.post(address, {"kept": "x", "seen": form["seen"].value()})
    assert refused.status_code == 422
    done = office.post(address, {"kept": twice.kept.code, "seen": form["seen"].value()}, follow=True)
    assert "K-1b is merged into K-1" in done.text
    assert "K-1b was merged into this record by Adam" in done.text
    undo = reverse("clients:undo_merge", args=[ClientMerge.objects.get().code])
    asked = office.get(undo)
    assert [one.therapist.name for one in asked.context["returning"]] == ["Carl"]
    assert [one.therapist.name for one in asked.context["staying"]] == ["Olga"]
    shown = " ".join(asked.text.split())
    assert "go back to K-1b:</p> <ul> <li> with Carl," in shown
    assert "two records again" in office.post(undo, follow=True).text
    assert client_of(twice.again) == "K-1b"
    assert "undone already" in office.post(undo).text


def test_a_page_that_does_not_say_what_it_showed_moves_nothing(twice, office):
    address = f"{reverse('clients:merge', args=[twice.kept.code])}?other={twice.merged.code}"
    answer = office.post(address, {"kept": twice.kept.code, "seen": "nonsense"})
    assert (answer.status_code, "has changed since this page was opened" in answer.text) == (422, True)
    assert not ClientMerge.objects.exists()


def test_the_preview_says_what_is_in_the_way_and_leaves_out_the_button(twice, office):
    other = cast.episode(twice.olga, "K-1c").client
    shown = preview(office, twice.kept, other).text
    assert "Both records have an open episode with Olga" in shown
    assert "<button>Merge</button>" not in shown


def test_an_administrator_moves_an_episode_and_back(two_episodes, sign_in):
    clinic, browser = two_episodes, sign_in(two_episodes.adam)
    address = reverse("clients:move_episode", args=[clinic.again.code])
    assert "Where does the episode of K-1 with Carl belong?" in browser.get(address).text
    assert [one.label for one in browser.get(address, {"q": "k-7"}).context["records"]] == ["K-7"]
    address += f"?other={clinic.theirs.code}"
    assert "What K-7 has now" in browser.get(address).text
    assert browser.post(address, {"why": " "}).status_code == 422
    form = opened(browser, address, why="Opened under the wrong client")
    moved = browser.post(address, form, follow=True)
    assert "The episode with Carl is now under K-7" in moved.text
    assert "Opened under the wrong client" in moved.text
    undo = reverse("clients:undo_move", args=[EpisodeMove.objects.get(merge=None).code])
    assert "back to K-1?" in browser.get(undo).text
    assert "under K-1 again" in browser.post(undo, follow=True).text


def test_no_such_other_record_is_not_there(twice, office):
    for other in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        address = reverse("clients:merge", args=[twice.kept.code])
        assert office.get(address, {"other": other}).status_code == 404
    assert office.get(reverse("clients:tell_apart", args=[twice.kept.code])).status_code == 404
