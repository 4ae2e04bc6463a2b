"""Groups, couples and families: who leads, who belongs, and the sessions that were held together.

Every member's course stays in an episode of their own, with one of the leaders. What is stored here only says which
of these sessions were one session of a group.
"""

import uuid
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from alliance.at_and_by import at_and_by
from alliance.encrypted_field import EncryptedCharField
from alliance.label_field import LabelField, Labelled, LabelledQuerySet, SearchKeyField
from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from alliance.models import User
from clients.models import Episode, Supervision
from sessions_app.courses.models import FIRST_MOMENT, VOID_REASON, Modality, TherapySession

GROUP_SESSION_LENGTH = timedelta(minutes=90)
MOST_MEMBERS = 30


class Kind(models.TextChoices):
    GROUP = "group", "Group"
    COUPLE = "couple", "Couple"
    FAMILY = "family", "Family"


FORM_OF = {
    Kind.GROUP: "group-session-rating",
    Kind.COUPLE: "couple-family-session-rating",
    Kind.FAMILY: "couple-family-session-rating",
}


class GroupQuerySet(LabelledQuerySet["Group"]):
    def led_by(self, user: User) -> Self:
        if not (user.is_active and user.is_therapist):
            return self.none()
        return self.filter(Q(leader=user) | Q(co_leader=user))

    own = led_by  # what `own_or_404` asks for

    def supervised_by(self, user: User) -> Self:
        """The groups of the therapists whom this person supervises today."""
        if not (user.is_active and user.is_supervisor):
            return self.none()
        supervised = Supervision.objects.today().filter(supervisor=user).values("therapist")
        return self.filter(Q(leader__in=supervised) | Q(co_leader__in=supervised))

    def visible_to(self, user: User) -> Self:
        """The groups whose *sessions and marks* this person reads: its leaders, and whoever supervises one today.

        Of a member's course they read here the sessions of the group, and nothing else of it.
        """
        groups = Group.objects
        return self.filter(
            Q(pk__in=groups.led_by(user).values("pk")) | Q(pk__in=groups.supervised_by(user).values("pk"))
        )

    def managed_by(self, user: User) -> Self:
        """The groups whose *names and leaders* this person manages: an administrator all, else those they read."""
        return self if user.is_active and user.is_administrator else self.visible_to(user)


class Group(Labelled):
    """People who are in therapy together, and the one or two therapists who lead them. No client reads its name."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = LabelField(max_length=40, help_text="Such as: Thursday group. No client sees it.")
    name_key = SearchKeyField("name")
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.GROUP)
    leader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="groups_led")
    co_leader = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="groups_co_led", null=True, blank=True
    )
    made_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, db_index=False
    )

    objects = GroupQuerySet.as_manager()

    class Meta:
        ordering = ("name_key", "made_at")
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="group_known_kind"),
            models.CheckConstraint(
                condition=Q(co_leader__isnull=True) | ~Q(co_leader=F("leader")),
                name="group_led_by_two_people",
            ),
            at_and_by("ended", name="group_ended_at_and_by"),
        )

    def __str__(self) -> str:
        return str(self.name)

    @property
    def form(self) -> Instrument:
        """The session scale that its members are given."""
        return instruments.get(FORM_OF[Kind(self.kind)])

    @property
    def leaders(self) -> list[User]:
        return [self.leader] if self.co_leader is None else [self.leader, self.co_leader]

    @property
    def leader_pks(self) -> list[Any]:
        return [pk for pk in (self.leader_id, self.co_leader_id) if pk is not None]

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None


class OfGroup(models.QuerySet[Any]):
    """Rows of a group; their doors are the group's."""

    to_group = "group"

    def _within(self, groups: "models.QuerySet[Group]") -> Self:
        return self.filter(**{f"{self.to_group}__in": groups.values("pk")})

    def visible_to(self, user: User) -> Self:
        return self._within(Group.objects.visible_to(user))

    def own(self, user: User) -> Self:
        return self._within(Group.objects.led_by(user))

    def managed_by(self, user: User) -> Self:
        return self._within(Group.objects.managed_by(user))


class GroupMemberQuerySet(OfGroup):
    def present_now(self) -> Self:
        """Those who belong to it: a membership ends with its day, and with the member's course."""
        return self.filter(left_on__isnull=True, episode__closed_on__isnull=True)


class GroupMember(models.Model):
    """A client's course that belongs to a group. A course that is closed or transferred ends it, without a row here.

    number: what the member types where the tablet goes round. It tells nobody who or how many they are.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    group = models.ForeignKey(Group, models.PROTECT, related_name="members")
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="memberships")
    number = models.PositiveSmallIntegerField()
    joined_on = models.DateField(default=timezone.localdate)
    left_on = models.DateField(null=True)
    left_at = models.DateTimeField(null=True)
    left_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, db_index=False
    )

    objects = GroupMemberQuerySet.as_manager()

    class Meta:
        ordering = ("group", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["group", "episode"], condition=Q(left_on__isnull=True), name="one_membership_a_course"
            ),
            models.UniqueConstraint(
                fields=["group", "number"], condition=Q(left_on__isnull=True), name="one_member_a_number"
            ),
            models.CheckConstraint(
                condition=Q(left_on__isnull=True) | Q(left_on__gte=F("joined_on")),
                name="member_left_after_joining",
            ),
            models.CheckConstraint(
                condition=Q(left_on__isnull=True, left_at__isnull=True)
                | Q(left_on__isnull=False, left_at__isnull=False),
                name="member_left_on_and_at",
            ),
            at_and_by("left", name="member_left_at_and_by"),
        )

    def __str__(self) -> str:
        return f"{self.episode} in {self.group}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.episode.client_code

    @property
    def is_present(self) -> bool:
        return self.left_on is None and self.episode.closed_on is None

    @property
    def until(self) -> date | None:
        """The day on which it ended: of whichever came first, leaving the group or the end of the course."""
        days = [day for day in (self.left_on, self.episode.closed_on) if day is not None]
        return min(days) if days else None


class GroupSessionQuerySet(OfGroup):
    def live(self) -> Self:
        return self.filter(voided_at__isnull=True)

    def at_once_with(self, group: Group, held_at: Any, ends_at: Any) -> Self:
        """Those of this group that share time with it."""
        return self.live().filter(group=group, held_at__lt=ends_at, ends_at__gt=held_at)


class GroupSession(models.Model):
    """One session of a group; each member who was there has a session in their own course (`GroupAttendance`)."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    group = models.ForeignKey(Group, models.PROTECT, related_name="sessions")
    held_at = models.DateTimeField("starts")
    ends_at = models.DateTimeField("ends")
    modality = models.CharField(max_length=20, choices=Modality.choices, default=Modality.IN_PERSON)
    begun_at = models.DateTimeField(default=timezone.now)
    begun_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    form_key = models.UUIDField(
        null=True, unique=True, help_text="Of the form that began it (`FormKeyField`)."
    )
    voided_at = models.DateTimeField(null=True)
    voided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, db_index=False
    )
    void_reason = EncryptedCharField(max_length=VOID_REASON, blank=True, default="")

    was_there = False  # True on what `begin_session` found begun already

    objects = GroupSessionQuerySet.as_manager()

    class Meta:
        ordering = ("group", "held_at")
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("held_at")), name="group_session_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(held_at__gte=FIRST_MOMENT), name="group_session_day_is_plausible"
            ),
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True, voided_by__isnull=True, void_reason="")
                | (Q(voided_at__isnull=False, voided_by__isnull=False) & ~Q(void_reason="")),
                name="group_session_voided_at_by_and_why",
            ),
        )

    def __str__(self) -> str:
        return f"Session of {self.group}"

    @property
    def is_voided(self) -> bool:
        return self.voided_at is not None


class GroupAttendanceQuerySet(OfGroup):
    to_group = "group_session__group"

    def of_sessions(self, sessions: Collection[int]) -> Self:
        return self.filter(session__in=sessions)


class GroupAttendance(models.Model):
    """The session in a member's own course that is their part of a session of the group.

    Whether they were there is said by that session, as of every session. Who was absent from the beginning has none.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    group_session = models.ForeignKey(GroupSession, models.PROTECT, related_name="attendances")
    member = models.ForeignKey(GroupMember, models.PROTECT, related_name="attendances")
    session = models.OneToOneField(TherapySession, models.PROTECT, related_name="in_group")
    # Its session was voided with that of the group, and comes back with it.
    voided_along = models.BooleanField(default=False)

    objects = GroupAttendanceQuerySet.as_manager()

    class Meta:
        ordering = ("group_session", "member")
        constraints = (
            models.UniqueConstraint(fields=["group_session", "member"], name="one_attendance_a_member"),
        )

    def __str__(self) -> str:
        return f"{self.member} at {self.group_session}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.member.client_code


class TabletRound(models.Model):
    """A tablet that goes from hand to hand after one session of a group.

    Its code is the authority of the locked browser that holds it: it opens the forms that were made for this round,
    each by the number of its member, and it reads nothing.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    group_session = models.ForeignKey(GroupSession, models.PROTECT, related_name="rounds")
    begun_at = models.DateTimeField(default=timezone.now)
    begun_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    open_until = models.DateTimeField()

    class Meta:
        ordering = ("-begun_at",)

    def __str__(self) -> str:
        return f"Tablet round of {self.group_session}"
