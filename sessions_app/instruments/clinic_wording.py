"""What a clinic brings itself: the wording of a licensed instrument, and the licence for it."""

import uuid
from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from alliance.append_only import append_only
from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument, Wording
from alliance.measurement.stated_parts import Stated, as_stated, from_stored
from alliance.measurement.wording_file import LENGTHS, as_wording


def both_or_neither(name: str) -> Q:
    """The condition that a deed has its time and its person, or has not happened."""
    when, who = f"{name}_at__isnull", f"{name}_by__isnull"
    return Q(**{when: True, who: True}) | Q(**{when: False, who: False})


class Medium(models.TextChoices):
    PAPER = "paper", "On paper only"
    ELECTRONIC = "electronic", "On screens only"
    BOTH = "both", "On paper and on screens"


class LicenceQuerySet(models.QuerySet["Licence"]):
    def standing(self, today: date) -> Self:
        """In force: to and including its last day, unless somebody ended it."""
        return self.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=today), ended_at__isnull=True)

    def electronic(self) -> Self:
        return self.exclude(medium=Medium.PAPER)

    def of(self, instrument: Instrument) -> Self:
        """A licence is for all forms of an instrument, whoever fills them in."""
        return self.filter(instrument__in={instrument.id, instrument.form_of})


@append_only(may_change=("ended_at", "ended_by"))
class Licence(models.Model):
    """That a clinic may use an instrument of others: what somebody read and accepted for it.

    A record and no proof: the paper itself stays with the clinic. Its terms never change after it was
    recorded; it can only be ended.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    instrument = models.CharField(max_length=40)
    holder = models.CharField(max_length=120)
    kind = models.CharField("kind of licence", max_length=80)
    number = models.CharField(max_length=80, blank=True, default="")
    medium = models.CharField("may be used", max_length=20, choices=Medium.choices)
    valid_to = models.DateField("to and including", null=True, blank=True)
    accepted_at = models.DateTimeField(default=timezone.now)
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    objects = LicenceQuerySet.as_manager()

    class Meta:
        ordering = ("-accepted_at", "-pk")
        constraints = (
            models.CheckConstraint(condition=Q(medium__in=Medium.values), name="licence_known_medium"),
            # Two, for SQLite knows no NULLS NOT DISTINCT.
            models.UniqueConstraint(
                fields=["instrument", "holder", "kind", "number", "medium", "valid_to"],
                condition=Q(ended_at__isnull=True),
                name="licence_recorded_once",
            ),
            models.UniqueConstraint(
                fields=["instrument", "holder", "kind", "number", "medium"],
                condition=Q(ended_at__isnull=True, valid_to__isnull=True),
                name="licence_without_end_recorded_once",
            ),
            models.CheckConstraint(condition=both_or_neither("ended"), name="licence_ended_at_and_by"),
        )

    def __str__(self) -> str:
        return f"Licence for {self.instrument_name}"

    @property
    def instrument_name(self) -> str:
        return instruments.get(self.instrument).name

    @property
    def is_past(self) -> bool:
        return self.valid_to is not None and self.valid_to < timezone.localdate()

    @property
    def stands(self) -> bool:
        return self.ended_at is None and not self.is_past


class ClinicWordingQuerySet(models.QuerySet["ClinicWording"]):
    def switched_on(self) -> Self:
        return self.filter(switched_on_at__isnull=False)

    def of(self, instrument: Instrument) -> Self:
        return self.filter(instrument=instrument.id, instrument_version=instrument.version)

    def invented(self) -> Self:
        """Words of nobody, for a try-out: the edition of such a file says so. Staff must see it wherever a form is."""
        return self.filter(edition__istartswith="invented")

    def of_the_edition(self, other: "ClinicWording") -> Self:
        """The same text of its owner in every language it is loaded in."""
        same = ("instrument", "instrument_version", "edition")
        return self.filter(**{name: getattr(other, name) for name in same})


@append_only(may_change=("switched_on_at", "switched_on_by"))
class ClinicWording(models.Model):
    """The wording of one instrument version in one language, as a clinic loaded it from a file.

    What a client read must stay readable as they read it: the content never changes after loading, by
    trigger. Another text is another edition. Only whether it is switched on changes.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    instrument = models.CharField(max_length=40)
    instrument_version = models.CharField(max_length=20)
    language = models.CharField(max_length=10)
    edition = models.CharField(max_length=LENGTHS["edition"], help_text="What its owner calls this text.")
    title = models.CharField(max_length=LENGTHS["title"])
    introduction = models.TextField(max_length=LENGTHS["introduction"])
    items = models.JSONField(help_text="{item: {question, low_end, high_end, points}}")
    form = models.JSONField(
        default=dict,
        help_text="{points, sections, stem, copyright, stated}; what it does not have is left out.",
    )
    loaded_at = models.DateTimeField(default=timezone.now)
    loaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    switched_on_at = models.DateTimeField(null=True)
    switched_on_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    objects = ClinicWordingQuerySet.as_manager()

    class Meta:
        ordering = ("instrument", "-edition", "language")
        constraints = (
            # Two texts under one edition would be mixed in one usual range.
            models.UniqueConstraint(
                F("instrument"),
                F("instrument_version"),
                Lower("edition"),
                F("language"),
                name="one_text_an_edition_and_language",
            ),
            models.UniqueConstraint(
                fields=["instrument", "language"],
                condition=Q(switched_on_at__isnull=False),
                name="one_wording_on_a_language",
            ),
            models.CheckConstraint(condition=both_or_neither("switched_on"), name="wording_on_at_and_by"),
        )

    def __str__(self) -> str:
        return f"{instruments.get(self.instrument).name}, edition {self.edition}"

    @property
    def is_on(self) -> bool:
        return self.switched_on_at is not None

    @property
    def language_name(self) -> str:
        return str(dict(settings.LANGUAGES).get(self.language, self.language))

    @property
    def stated(self) -> Stated:
        """What the owner's form says of the instrument, where our definition is not certain."""
        return from_stored(self.form.get("stated", {}))

    @property
    def scored(self) -> Instrument:
        """The instrument by which answers to this wording are scored and shown: with what the wording states."""
        return as_stated(instruments.get(self.instrument, self.instrument_version), self.stated)

    @property
    def wording(self) -> Wording:
        # PostgreSQL keeps no order in JSON; the instrument has it.
        return as_wording(
            language=self.language,
            title=self.title,
            introduction=self.introduction,
            items={item.id: self.items[item.id] for item in self.scored.items},
            form=self.form,
        )


def scored_by(instrument: str, version: str, wording: ClinicWording | None) -> Instrument:
    """The instrument by which a form is shown and its answers are scored, with what its wording states."""
    return instruments.get(instrument, version) if wording is None else wording.scored
