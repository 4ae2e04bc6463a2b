"""The writes about what was agreed about a client in supervision."""

from datetime import date
from uuid import UUID

from django.db import transaction

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from alliance.stale_forms import Opened, changed
from clients.lock import lock_open_episode
from clients.models import Episode
from clients.plausible_days import NOT_AHEAD, refuse_implausible
from sessions_app.supervision.kept_words import keep, locked, put_back, take_back
from sessions_app.supervision.rows import supervises
from sessions_app.supervision.talks import SupervisionTalk, SupervisionTalkChange

Kind = SupervisionTalkChange.Kind
NEITHER = (
    "Only the therapist of this client and whoever supervises them today note this, so nothing was saved."
)
TAKEN_BACK = "This note was taken back meanwhile. Put it back first. Your words are still here."


@transaction.atomic
def note_supervision(
    *, episode: Episode, held_on: date, agreed: str, form_key: UUID | None = None, by: User
) -> SupervisionTalk:
    """That this client was talked about in supervision. Sent twice by one form, it is noted once."""
    lock_open_episode(episode.pk)
    if form_key and (there := SupervisionTalk.objects.filter(form_key=form_key, noted_by=by).first()):
        found: SupervisionTalk = there
        return found
    if episode.therapist_id != by.pk and not supervises(by, episode):
        raise Refused(NEITHER)
    refuse_implausible(held_on, ahead=NOT_AHEAD)
    talk = SupervisionTalk.objects.create(
        episode=episode, held_on=held_on, agreed=agreed, form_key=form_key, noted_by=by
    )
    audit.record(LogEvent.SUPERVISION_TALK_NOTED, talk, by=by, client=talk.client_code)
    return talk


@transaction.atomic
def change_supervision_note(
    *, talk: SupervisionTalk, held_on: date, agreed: str, by: User, opened_with: Opened | None = None
) -> SupervisionTalk:
    """Another day, or other words; the earlier ones stay readable."""
    stands = locked(talk)
    if stands.withdrawn_at:
        raise Refused(TAKEN_BACK)
    new = changed(
        opened_with,
        stored={"held_on": stands.held_on, "agreed": stands.agreed},
        typed={"held_on": held_on, "agreed": agreed},
    )
    if not new:
        return stands
    refuse_implausible(held_on, ahead=NOT_AHEAD)
    keep(stands, Kind.EDITED, by)
    for name, value in new.items():
        setattr(stands, name, value)
    stands.save(update_fields=[*new, "version"])
    audit.record(LogEvent.SUPERVISION_TALK_CHANGED, stands, by=by, client=stands.client_code)
    return stands


@transaction.atomic
def take_back_supervision_note(*, talk: SupervisionTalk, by: User) -> SupervisionTalk:
    return take_back(talk, by=by, event=LogEvent.SUPERVISION_TALK_CHANGED)


@transaction.atomic
def put_back_supervision_note(*, talk: SupervisionTalk, by: User) -> SupervisionTalk:
    return put_back(talk, by=by, event=LogEvent.SUPERVISION_TALK_CHANGED)
