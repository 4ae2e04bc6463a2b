"""What people write about an answer on self-harm."""

from uuid import UUID

from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from clients.lock import lock_episode
from sessions_app.questionnaires.risk_answers import RiskAnswer, RiskNote


@transaction.atomic
def acknowledge(
    *, answer: RiskAnswer, note: str, seen: int = 0, form_key: UUID | None = None, by: User
) -> RiskNote:
    """Write down what was done. seen: how many notes the page showed, so that two people learn of each other.

    Also in a course that is over: answers arrive late, and somebody has to look. Pressed again, the same note.
    """
    lock_episode(answer.response.session.episode_id)
    if form_key and (made := RiskNote.objects.filter(form_key=form_key).first()):
        return made
    # As it is now: who was asked to look because nobody had is not asked any more once somebody has.
    there = list(RiskNote.objects.filter(answer=answer).select_related("noted_by"))
    if len(there) != seen:
        newest = there[-1]
        at = date_format(localtime(newest.noted_at), "j F, H:i")
        raise Refused(
            f"{newest.noted_by} wrote meanwhile ({at}): “{newest.note}” Your words are still here: press again if they "
            "are to stand beside these."
        )
    made = RiskNote.objects.create(answer=answer, note=note, noted_by=by, form_key=form_key)
    audit.record(LogEvent.RISK_ANSWER_ACKNOWLEDGED, answer, by=by, client=answer.client_code)
    return made
