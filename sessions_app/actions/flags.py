"""The writes about what the marks mean and what was said about it."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.measurement import instruments
from alliance.measurement.flag_rules import Finding
from alliance.models import User
from clients.actions import Refused
from clients.models import Episode
from sessions_app import course
from sessions_app.models import SESSION_SCALES, Discussion, Flag


def queue(episode_id: int) -> Episode:
    """Wait until no other write about this episode is under way; the episode as it is now."""
    return Episode.objects.select_for_update().get(pk=episode_id)


@transaction.atomic
def refresh_flags(*, episode: Episode, now: datetime | None = None) -> None:
    """Make the stored flags of an episode equal to what the rules say of it now.

    Flags are conclusions: one that no longer stands is withdrawn and one that stands again comes
    back, so that a discussion keeps hanging on its row.
    """
    moment = now or timezone.now()
    # Two ratings of one episode that arrive at once must not each compute without the other.
    queue(episode.pk)
    concluded = {
        (one.session.pk, _instrument(one, finding), finding.rule): (one, finding)
        for one in course.read(episode, moment)
        for finding in one.findings
    }
    stored = {
        (flag.session_id, flag.instrument, flag.rule): flag
        for flag in Flag.objects.filter(session__episode=episode, instrument__in=SESSION_SCALES)
    }
    fallen = [flag.pk for key, flag in stored.items() if key not in concluded and flag.withdrawn_at is None]
    changed = [_raise(stored.get(key), one, finding, moment) for key, (one, finding) in concluded.items()]
    if fallen or any(changed):
        Flag.objects.filter(pk__in=fallen).update(withdrawn_at=moment)
        audit.record("flags refreshed", episode, by=None, client=episode.client_code)


def _instrument(one: course.RatedSession, finding: Finding) -> str:
    """A gap is nobody's: rule G keeps our own name whatever is used around it."""
    return instruments.SESSION_RATING if finding.rule == "G" else one.instrument.id


def _raise(flag: Flag | None, one: course.RatedSession, finding: Finding, moment: datetime) -> bool:
    """Store one conclusion; whether that changed anything."""
    says = {
        "rating_id": one.rating.pk if one.rating and finding.rule != "G" else None,
        "is_new": finding.is_new,
        "on_work_list": finding.on_work_list,
        "evidence": dict(finding.evidence),
    }
    if flag is None:
        Flag.objects.create(
            session=one.session,
            instrument=_instrument(one, finding),
            rule=finding.rule,
            settings_version=course.SETTINGS_VERSION,
            raised_at=moment,
            **says,
        )
        return True
    if flag.withdrawn_at is not None or any(getattr(flag, name) != value for name, value in says.items()):
        Flag.objects.filter(pk=flag.pk).update(
            withdrawn_at=None, settings_version=course.SETTINGS_VERSION, **says
        )
        return True
    return False


@transaction.atomic
def discuss(*, flags: Iterable[Flag], said: str, agreed: str, by: User) -> Discussion:
    """Note the conversation about flags of one session. They are *discussed* from now on."""
    talked_about = list(flags)
    if not talked_about:
        raise Refused("Choose what you talked about.")
    if len({flag.session_id for flag in talked_about}) > 1:
        raise Refused("Note the conversation about one session at a time.")
    session = talked_about[0].session
    queue(session.episode_id)
    discussion = Discussion.objects.create(session=session, said=said, agreed=agreed, discussed_by=by)
    discussion.flags.set(talked_about)
    audit.record(
        "discussed", discussion, by=by, client=session.client_code, rules=[flag.rule for flag in talked_about]
    )
    return discussion


@transaction.atomic
def withdraw_discussion(*, discussion: Discussion, by: User) -> Discussion:
    """Undo of `discuss`: the words are kept, the flags are open again."""
    discussion.withdrawn_at, discussion.withdrawn_by = timezone.now(), by
    discussion.save(update_fields=["withdrawn_at", "withdrawn_by"])
    audit.record("discussion withdrawn", discussion, by=by, client=discussion.client_code)
    return discussion
