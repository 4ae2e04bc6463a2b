"""What people decide about answers to a questionnaire: that they count, or that they do not."""

from django.db import transaction

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from clients.lock import lock_for_decision
from sessions_app.courses.responses import Held, QuestionnaireResponse, ResponseDecision


@transaction.atomic
def decide(*, response: QuestionnaireResponse, counts: bool, why: str, by: User) -> ResponseDecision:
    """Let these answers count, or not; the newest decision holds, so the opposite one is the way back.

    Answers that cannot be read never count. Of two that came through one grant only one counts at a time.
    """
    lock_for_decision(response.session.episode_id)
    if counts and response.held == Held.INVALID:
        raise Refused("What arrived cannot be read as answers, so it cannot count.")
    of_grant = QuestionnaireResponse.objects.standing().filter(grant=response.grant)
    if of_grant.filter(pk=response.pk).exists() == counts:
        raise Refused("These answers count already." if counts else "These answers do not count any more.")
    if counts:
        for other in of_grant:
            ResponseDecision.objects.create(response=other, counts=False, why=why, decided_by=by)
    decision = ResponseDecision.objects.create(response=response, counts=counts, why=why, decided_by=by)
    audit.record(LogEvent.QUESTIONNAIRE_DECIDED, response, by=by, client=response.client_code, counts=counts)
    return decision
