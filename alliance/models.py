"""Staff and the record of what they saw and did."""

import secrets
import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from alliance.append_only import append_only
from alliance.approvals import ApprovalNotice, ApprovalRequest  # noqa: F401 - rows of this app too
from alliance.erasures import Erasure, ErasurePermit  # noqa: F401 - rows of this app too
from alliance.label_field import LabelField, Labelled, LabelledQuerySet, LookAlikeKeyField, SearchKeyField
from alliance.log_archives import TAKEN_OUT, ArchivePermit, AuditArchive  # noqa: F401 - rows of this app too
from alliance.log_by_client import ByNamedClient
from alliance.log_events import LOOKS
from alliance.operations.backup_made import BackupMade  # noqa: F401 - rows of this app too
from alliance.operations.backup_verified import BackupVerified  # noqa: F401
from alliance.operations.heartbeat import ClockBeat, ClockTask  # noqa: F401 - rows of this app too
from alliance.operations.maintenance import MaintenanceNotice  # noqa: F401 - a row of this app too
from alliance.rotation_permit import RotationPermit  # noqa: F401 - a row of this app too
from alliance.session_keys import SessionKeyField


class Role(models.TextChoices):
    THERAPIST = "therapist", "Therapist"
    SUPERVISOR = "supervisor", "Supervisor"
    ADMINISTRATOR = "administrator", "Administrator"


class UserManager(BaseUserManager["User"]):
    def get_queryset(self) -> "LabelledQuerySet[User]":
        return LabelledQuerySet(self.model, using=self._db)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save()
        return user

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email__iexact=email)

    def with_role(self, role: Role) -> "models.QuerySet[User]":
        """Active people holding `role`, in alphabetical order."""
        return self.filter(**{f"is_{role.value}": True}, is_active=True).order_by("name", "email")


def new_salt() -> str:
    return secrets.token_hex(16)


class User(Labelled, AbstractBaseUser):
    """A member of staff. Clients never have an account.

    One person may hold several roles; a role opens pages, never rows: which clients a person sees
    is decided by `Episode.objects.visible_to` alone. Nobody is all-powerful.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField("e-mail address", unique=True)
    name = LabelField(max_length=80)
    name_key = SearchKeyField("name")
    name_look = LookAlikeKeyField("name")
    is_therapist = models.BooleanField("therapist", default=False)
    is_supervisor = models.BooleanField("supervisor", default=False)
    is_administrator = models.BooleanField("administrator", default=False)
    is_active = models.BooleanField("may sign in", default=True)
    question_language = models.CharField(
        "language of the questions to ask", max_length=10, default="en", help_text="A tag of LANGUAGES."
    )
    guesses_first = models.BooleanField(
        "guesses what a client will mark",
        default=False,
        help_text="Chosen by this person, for themselves alone.",
    )
    draft_salt = models.CharField(
        max_length=32,
        default=new_salt,
        editable=False,
        help_text="See `alliance.drafts`: another one ends them.",
    )
    link_salt = models.CharField(
        max_length=32, blank=True, default="", editable=False, help_text="See `alliance.password_links`."
    )
    link_good_until = models.DateTimeField(null=True, editable=False)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    # Known where the person came with their session (`alliance.session_store`); None where nobody looked.
    holds_second_factor: bool | None = None
    session_data: str
    # The same of approvals: whether one is due, how many wait, of how many this person has to be told.
    approvals_are_due: bool = False
    approvals_waiting: int = 0
    approvals_untold: int = 0

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = (models.UniqueConstraint(Lower("email"), name="user_email_whatever_the_case"),)

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def roles(self) -> list[Role]:
        return [role for role in Role if getattr(self, f"is_{role.value}")]

    def has_any_role(self, roles: "frozenset[Role]") -> bool:
        return self.is_active and not roles.isdisjoint(self.roles)

    def get_full_name(self) -> str:
        return str(self)


class BrowserSession(AbstractBaseSession):
    """What the server keeps for one browser, and whose it is; the browser alone holds its key.

    The row has the key's hash, and what is kept is sealed: see `alliance.session_store`.
    """

    session_key = SessionKeyField("session key", max_length=40, primary_key=True)
    # No constraint: a session says who signed in once, and must neither keep a person from being deleted
    # nor fail to be written after they were.
    person = models.ForeignKey(
        User, models.CASCADE, null=True, db_constraint=False, related_name="browser_sessions"
    )

    @classmethod
    def get_session_store_class(cls) -> "type[Any]":
        from alliance.session_store import SessionStore

        return SessionStore


@append_only(taken_out=TAKEN_OUT)
class AuditEvent(models.Model):
    """One line of the access log: who saw or did what, to whom, when, from where.

    Append-only; months that are over for long go to files (`log_archiving`). It holds pseudonymous codes,
    never a name, a label, an answer or a total, so that erasing a client leaves the log whole.
    """

    at = models.DateTimeField(default=timezone.now, db_index=True)
    actor = models.UUIDField(
        null=True, help_text="The user; empty for a client with a grant and for the system."
    )
    action = models.CharField(max_length=40, help_text="A `LogEvent`.")
    entity = models.CharField(max_length=40)
    entity_code = models.UUIDField(null=True)
    client = models.UUIDField(null=True, help_text="The client whose row it was, where there is one.")
    clients = models.JSONField(
        null=True, help_text="Where it is about a list: the codes of all clients on it, in hexadecimal."
    )
    address = models.GenericIPAddressField(null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["client", "-id"], condition=Q(client__isnull=False), name="audit_by_client"),
            models.Index(fields=["actor", "-id"], condition=Q(actor__isnull=False), name="audit_by_actor"),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            models.Index(
                fields=["client", "-id"],
                condition=Q(client__isnull=False) & ~Q(action__in=LOOKS),
                name="audit_writes_by_client",
            ),
            ByNamedClient(
                fields=["clients"], condition=Q(clients__isnull=False), name="audit_by_named_client"
            ),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.entity}"


@append_only()
class AuditSeal(models.Model):
    """A link of the hash chain over the access log; see `alliance.log_seals`.

    It covers the lines with ids above `after` up to `upto`, and the seal before it by its hash.
    """

    number = models.PositiveBigIntegerField(unique=True, help_text="1, 2, 3 and on, without a gap.")
    previous = models.CharField(max_length=64, help_text="The hash of the seal before; zeros for the first.")
    after = models.BigIntegerField()
    upto = models.BigIntegerField()
    count = models.PositiveIntegerField(help_text="How many lines it covers.")
    entries = models.BinaryField(help_text="The id and the SHA-256 of each line, in the order of the ids.")
    sealed_at = models.DateTimeField()
    hash = models.CharField(max_length=64, unique=True, help_text="The SHA-256 over all of the above.")

    class Meta:
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"seal {self.number}: {self.hash}"
