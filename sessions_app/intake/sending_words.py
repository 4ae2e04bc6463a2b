"""What whoever opens a link too late is told."""

from django.utils.translation import gettext as _

from sessions_app.courses.grants import RatingGrant


def leads_to_no_form() -> str:
    return _("This link leads to no form. Ask the therapist for a new one.")


def ask_for_a_new_link(grant: RatingGrant) -> str:
    """Whom to ask, in the words of whoever fills in: a caregiver has no therapist."""
    if grant.is_for_the_client:
        return _("Ask your therapist for a new link.")
    return _("Ask the therapist for a new link.")
