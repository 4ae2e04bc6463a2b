"""What became of the note of a conversation after it was written."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alliance.append_only import append_only
from alliance.encrypted_field import EncryptedCharField
from sessions_app.courses.decisions import LINE
from sessions_app.courses.models import EpisodeRows
from sessions_app.flags.models import Discussion


class DiscussionChangeQuerySet(EpisodeRows):
    to_episode = "discussion__session__episode"


@append_only(erased_along="discussion__session__episode__client")
class DiscussionChange(models.Model):
    """One change of a note, with the words that stood before it. The words that stand now are in `Discussion`."""

    class Kind(models.TextChoices):
        EDITED = "edited", "Changed"
        TAKEN_BACK = "taken back", "Taken back"
        PUT_BACK = "put back", "Put back"

    discussion = models.ForeignKey(Discussion, models.PROTECT, related_name="changes")
    version = models.PositiveIntegerField(help_text="`Discussion.version` before this change.")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    said = EncryptedCharField("what the client said", max_length=500)
    agreed = EncryptedCharField("what we change", max_length=500, blank=True, default="")
    why = EncryptedCharField("reason", max_length=LINE, blank=True, default="")
    changed_at = models.DateTimeField(default=timezone.now)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = DiscussionChangeQuerySet.as_manager()

    class Meta:
        ordering = ("version",)
        constraints = (
            models.UniqueConstraint(fields=["discussion", "version"], name="one_change_a_discussion_version"),
            models.CheckConstraint(
                condition=Q(kind__in=["edited", "taken back", "put back"]),
                name="discussion_change_known_kind",
            ),
        )

    def __str__(self) -> str:
        return f"{self.discussion}: {self.get_kind_display()}"
