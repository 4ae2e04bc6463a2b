"""Which form a session of a group is rated on."""

from alliance.measurement.instruments import Instrument
from sessions_app.courses.models import TherapySession
from sessions_app.groups.models import Group


def form_of(session: TherapySession) -> Instrument | None:
    """That of the group, where the session is a member's part of one of its sessions; one query."""
    group = Group.objects.filter(sessions__attendances__session=session).first()
    return group.form if group else None
