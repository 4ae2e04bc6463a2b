"""The writes about a form that goes to another device: the client's own phone, or the tablet of a room.

Nobody has such a form before its device fetches it. What fetches it gets a token of its own, which is
the grant's from then on; the link and the short code open nothing twice.

One order of locks for all: the tablet, then the episodes by their number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count, islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from alliance import audit
from alliance.form_keys import key_of_press, secret_of
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from clients.lock import lock_episode
from clients.models import Client, Episode
from sessions_app.courses import wordings
from sessions_app.courses.grants import Channel, RatingGrant, RatingGrantQuerySet
from sessions_app.courses.models import Mode, Rating
from sessions_app.courses.tablets import PairedTablet
from sessions_app.courses.tokens import hash_of_token, new_token
from sessions_app.intake import hand_over_actions, session_actions, short_codes
from sessions_app.intake.form_sets import RATING, Forms
from sessions_app.intake.sending_words import ask_for_a_new_link

LINK_FOR = timedelta(hours=72)
SHORT_CODE_FOR = timedelta(minutes=30)
PAIRING_FOR = timedelta(minutes=10)
SEEN_EVERY = timedelta(minutes=1)
CODES_TRIED = 100


# --- The client's own phone ----------------------------------------------------------------------


@dataclass(frozen=True)
class Link:
    """What the therapist shows, once: only hashes of it are stored."""

    grant: RatingGrant
    token: str
    short_code: str


@transaction.atomic
def make_link(
    *, episode: Episode, by: User, form_key: UUID | None = None, forms: Forms = RATING, **which: Any
) -> Link:
    """For a session of this episode; `which`: as for `session_now`.

    form_key: pressed again with the same one, the same link once more, though it is stored nowhere.
    """
    session = session_actions.session_now(episode=episode, by=by, form_key=form_key, **which)
    press = key_of_press(form_key, Channel.PHONE, session.pk, *forms.press)
    if press and (made := hand_over_actions.made_by(press)):
        return _made_before(made, press)
    token, now = secret_of(press, "link") if press else new_token(), timezone.now()
    short_code = next(code for code in _short_codes(press) if not _is_taken(code))
    grant, _nobodys = hand_over_actions.ask(
        session=session,
        channel=Channel.PHONE,
        by=by,
        form_key=press,
        forms=forms,
        open_until=now + LINK_FOR,
        link_hash=hash_of_token(token),
        short_code_hash=short_codes.hash_of_code(short_code),
        short_code_until=now + SHORT_CODE_FOR,
    )
    event = LogEvent.LINK_MADE if grant.is_for_the_client else LogEvent.LINK_MADE_FOR_ANOTHER
    audit.record(event, grant, by=by, client=grant.client_code, rater=grant.rater)
    return Link(grant, token, short_code)


def _short_codes(press: UUID | None) -> Iterator[str]:
    """Codes to choose from, without an end; for the same press always the same ones."""
    return map(partial(_short_code, press), count())


def _short_code(press: UUID | None, place: int) -> str:
    if press is None:
        return short_codes.new_short_code()
    return short_codes.drawn_from(secret_of(press, f"short code {place}"))


def _is_taken(short_code: str) -> bool:
    return RatingGrant.every.filter(short_code_hash=short_codes.hash_of_code(short_code)).exists()


def _made_before(grant: RatingGrant, press: UUID) -> Link:
    token = secret_of(press, "link")
    if hash_of_token(token) != grant.link_hash:  # the site has another secret since
        raise Refused("This link is shown only once. Make a new one from the client's page.")
    codes = islice(_short_codes(press), CODES_TRIED)
    short_code = next((one for one in codes if short_codes.hash_of_code(one) == grant.short_code_hash), "")
    return Link(grant, token, short_code)


@transaction.atomic
def open_on_phone(*, grant: RatingGrant, language: str = "") -> str:
    """The grant's token, for the one browser that asks first. Says why to every other.

    `language`: the phone's own. It is the client's where nothing is known of theirs; for anybody else the therapist
    chose one.
    """
    lock_episode(grant.session.episode_id)
    grant.refresh_from_db(fields=["withdrawn_at", "opened_at", "answered_at"])
    _refuse_unless_it_can_be_opened(grant)
    token, now = new_token(), timezone.now()
    # The row has the last word, not the look before it. Its own columns alone: PostgreSQL looks at these
    # again after it waited for another writer, but not into another table.
    first = RatingGrant.every.filter(pk=grant.pk, opened_at__isnull=True, withdrawn_at__isnull=True)
    if not first.update(opened_at=now, token_hash=hash_of_token(token)):
        raise Refused(f"{_('This form was opened already.')} {ask_for_a_new_link(grant)}")
    audit.record(LogEvent.FORM_OPENED, grant, by=None, client=grant.client_code)
    is_offered = grant.is_for_the_client and language in wordings.languages_of(grant)
    if is_offered and not _is_known_to_read(grant.session.episode.client):
        hand_over_actions.choose_language(grant=grant, language=language)
    return token


def why_it_opens_nothing(*, grant: RatingGrant) -> str:
    """What whoever presses *Start* would be told; empty where the form would open. Nothing is used up by asking."""
    try:
        _refuse_unless_it_can_be_opened(grant)
    except Refused as refusal:
        return str(refusal)
    return ""


def _is_known_to_read(client: Client) -> bool:
    """Whether somebody chose the client's language: another than the preset, or the client by marking in it."""
    if client.language != settings.LANGUAGE_CODE:
        return True
    marked = Rating.objects.standing().filter(
        session__episode__client=client, mode__in=[Mode.LINE, Mode.NUMBER]
    )
    return marked.exists()


def _refuse_unless_it_can_be_opened(grant: RatingGrant) -> None:
    last = Rating.objects.last_of(grant.session) if grant.is_of_the_alliance else None
    if (last is not None and last.pk != grant.instead_of_id) or grant.is_rated:
        raise Refused(_("This form was handed in already. There is nothing more to do."))
    if grant.withdrawn_at is not None:
        raise Refused(f"{_('This form was taken back.')} {ask_for_a_new_link(grant)}")
    if grant.opened_at is not None:
        raise Refused(f"{_('This form was opened already.')} {ask_for_a_new_link(grant)}")
    if timezone.now() >= grant.open_until or not grant.session.episode.is_open:
        raise Refused(f"{_('This link has expired.')} {ask_for_a_new_link(grant)}")


# --- The tablet of a room ------------------------------------------------------------------------


@transaction.atomic
def ask_to_be_paired() -> str:
    """A key for a tablet that shows a pairing code from now on; it opens nothing until staff enter the code."""
    now = timezone.now()
    PairedTablet.objects.filter(paired_at__isnull=True, pairing_until__lte=now).delete()
    key = new_token()
    while PairedTablet.objects.filter(pairing_hash=_pairing_hash(key)).exists():
        key = new_token()
    PairedTablet.objects.create(
        key_hash=hash_of_token(key), pairing_hash=_pairing_hash(key), pairing_until=now + PAIRING_FOR
    )
    return key


def _pairing_hash(key: str) -> str:
    return short_codes.hash_of_code(short_codes.pairing_code(key))


@transaction.atomic
def pair(*, pairing_code: str, name: str, by: User) -> PairedTablet:
    now, pairing_hash = timezone.now(), short_codes.hash_of_code(short_codes.cleaned(pairing_code))
    tablet = PairedTablet.objects.select_for_update().asking(now).filter(pairing_hash=pairing_hash).first()
    if tablet is None:
        raise Refused(
            "No tablet shows this code now. Look at the tablet again: a code is good for ten minutes."
        )
    tablet.name, tablet.pairing_hash = name, None
    tablet.paired_at, tablet.paired_by, tablet.last_seen_at = now, by, now
    try:
        with transaction.atomic():
            tablet.save()
    except IntegrityError as error:
        raise Refused(
            f"There is a tablet named {name} already, or one whose name looks the same."
            " Choose another name, or revoke that one."
        ) from error
    audit.record(LogEvent.TABLET_PAIRED, tablet, by=by)
    return tablet


@transaction.atomic
def revoke(*, tablet: PairedTablet, by: User) -> None:
    """The tablet's key opens nothing any more, and what it was sent and did not answer is taken back."""
    locked = PairedTablet.objects.select_for_update().get(pk=tablet.pk)
    if not locked.is_in_use:
        raise Refused(f"{tablet} is not paired any more.")
    unanswered = RatingGrant.every.awaiting(timezone.now()).filter(paired_tablet=locked)
    _lock_all(unanswered)
    _take_back(unanswered, by)
    locked.revoked_at, locked.revoked_by = timezone.now(), by
    locked.save(update_fields=["revoked_at", "revoked_by"])
    audit.record(LogEvent.TABLET_REVOKED, locked, by=by)


@transaction.atomic
def send(
    *,
    episode: Episode,
    tablet: PairedTablet,
    by: User,
    form_key: UUID | None = None,
    forms: Forms = RATING,
    **which: Any,
) -> RatingGrant:
    """Send the form to a room. It takes the place of a form that may still be open there.

    Else the marks of whoever sits there now could be stored as those of the client before. One that can be
    on no screen any more stays: its marks may wait on a tablet without a connection.
    `which`: as for `session_now`; form_key: pressed again with the same one, the form that was sent.
    """
    # The row lock makes two who send to one tablet queue, and one who sends while another revokes.
    locked = PairedTablet.objects.select_for_update().in_use().filter(pk=tablet.pk).first()
    if locked is None:
        raise Refused(f"{tablet} is not paired any more. Choose another way.")
    shown = RatingGrant.every.on_a_screen(timezone.now()).filter(paired_tablet=locked)
    _lock_all(shown, episode)
    session = session_actions.session_now(episode=episode, by=by, form_key=form_key, **which)
    press = key_of_press(form_key, Channel.PAIRED, locked.pk, session.pk, *forms.press)
    if made := hand_over_actions.made_by(press):
        return made
    _take_back(shown, by)
    grant, _nobodys = hand_over_actions.ask(
        session=session, channel=Channel.PAIRED, by=by, form_key=press, forms=forms, paired_tablet=locked
    )
    audit.record(LogEvent.FORM_SENT, grant, by=by, client=grant.client_code, tablet=str(locked.code))
    return grant


def _lock_all(grants: RatingGrantQuerySet, *more: Episode) -> None:
    """Two who send in opposite directions at once must not wait for each other."""
    episodes = set(grants.values_list("session__episode", flat=True))
    for episode in sorted(episodes | {one.pk for one in more}):
        lock_episode(episode)


def _take_back(grants: RatingGrantQuerySet, by: User) -> None:
    for grant in grants.select_related("session__episode__client"):
        hand_over_actions.take_back(grant=grant, by=by)


@transaction.atomic
def open_in_room(*, tablet: PairedTablet) -> str | None:
    """The token of the form this tablet was sent, or None where there is none.

    Not only once: a tablet that was switched off while the form was open holds its key and no token.
    """
    grant = RatingGrant.every.sent_to(tablet, timezone.now())
    if grant is None:
        return None
    lock_episode(grant.session.episode_id)
    token, now = new_token(), timezone.now()
    standing = RatingGrant.every.filter(pk=grant.pk, withdrawn_at__isnull=True)
    if not standing.update(opened_at=Coalesce("opened_at", now), token_hash=hash_of_token(token)):
        return None
    if grant.opened_at is None:
        audit.record(LogEvent.FORM_OPENED, grant, by=None, client=grant.client_code)
    return token


def note_seen(*, tablet: PairedTablet) -> None:
    """A tablet asks every few seconds; once a minute is enough to know that it is awake."""
    now = timezone.now()
    if tablet.last_seen_at is None or now - tablet.last_seen_at >= SEEN_EVERY:
        PairedTablet.objects.filter(pk=tablet.pk).update(last_seen_at=now)
