"""An episode that is opened has a standing at once: `clients` opens it and knows nothing of standings."""

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from clients.models import Episode
from sessions_app.flags import conclude, standing
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.facts import CourseFacts
from sessions_app.instruments import rule_settings

NOTHING_YET = CourseFacts(sessions=[], ratings={}, flags={}, talks=[], deferrals=[])


@receiver(post_save, sender=Episode, dispatch_uid="first standing")
def store_first_standing(instance: Episode, created: bool, raw: bool, **_: Any) -> None:
    """raw: rows that are loaded come with the standing they had."""
    if created and not raw:
        found = conclude.fresh(NOTHING_YET, rule_settings.in_force(), timezone.now())
        nothing_before = EpisodeStanding(episode=instance, course=None, process={})
        standing.store({instance.pk: found}, {instance.pk: nothing_before})
