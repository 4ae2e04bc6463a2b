"""In which words one form was read, or is: what a grant shows, what stands behind a rating."""

from collections.abc import Collection

from django.conf import settings

from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument, Wording
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating
from sessions_app.instruments import client_form
from sessions_app.instruments.client_form import ClientForm
from sessions_app.instruments.clinic_wording import ClinicWording, scored_by
from sessions_app.instruments.offers import wording_of

# --- What a grant shows ----------------------------------------------------------------------------


def shown(grant: RatingGrant) -> Wording:
    """What the client reads, with the therapist's name where the form has a place for it."""
    loaded = grant.wording
    wording = loaded.wording if loaded else wording_of(instrument_of(grant), grant.language)
    return wording.named(_therapist_of(grant)) if wording.names_the_therapist else wording


def instrument_of(grant: RatingGrant) -> Instrument:
    """What is filled in, in the version it was handed over in, and with what its wording states of it."""
    return scored_by(grant.instrument, grant.instrument_version, grant.wording)


def _therapist_of(grant: RatingGrant) -> str:
    known: str | None = getattr(grant, "name_of_therapist", None)
    return grant.session.episode.therapist.name if known is None else known


def read_by_the_client(rating: Rating) -> Wording:
    """What the client had read when they marked these lines, however long ago."""
    if rating.wording is not None:
        return rating.wording.wording
    return wording_of(instruments.get(rating.instrument, rating.instrument_version), rating.language)


def name_of(rating: Rating) -> str:
    """What was filled in, as staff read it; the version only where there is a newer one."""
    instrument = instruments.get(rating.instrument, rating.instrument_version)
    name = instrument.name
    if instrument != instruments.get(rating.instrument):
        name += f", version {instrument.version}"
    return f"{name}, edition {rating.wording.edition}" if rating.wording else name


def languages_of(grant: RatingGrant, chosen: ClientForm | None = None) -> list[str]:
    """The languages in which this form can be read on: those of the same edition that are switched on.

    chosen: what the clinic chose, where the caller has asked for it already.
    """
    if grant.wording is None:
        switched_on = (chosen or client_form.in_force()).of(instrument_of(grant))
        offered: Collection[str] = {shown(grant).language, *switched_on}
    else:
        edition = ClinicWording.objects.of_the_edition(grant.wording).switched_on()
        offered = {grant.wording.language, *edition.values_list("language", flat=True)}
    return [tag for tag, _name in settings.LANGUAGES if tag in offered]


def may_be_read_in(grant: RatingGrant, language: str) -> bool:
    """Whether a page of this grant can have been in this language, switched off meanwhile or not."""
    return (
        language in instrument_of(grant).wordings
        if grant.wording is None
        else language in languages_of(grant)
    )


def translated(grant: RatingGrant, language: str) -> ClinicWording | None:
    """The wording of this grant in another language; as it is where there is no other."""
    if grant.wording is None or grant.wording.language == language:
        return grant.wording
    edition = ClinicWording.objects.of_the_edition(grant.wording).filter(language=language)
    return edition.first() or grant.wording
