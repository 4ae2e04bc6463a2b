"""Which of some languages a person is given who reads another."""

from collections.abc import Collection

from django.conf import settings


def nearest(tags: Collection[str], language: str) -> str:
    """The nearest of these languages: itself, without its region, English, or the first that there is."""
    order = [language, language.partition("-")[0], "en", *(tag for tag, _name in settings.LANGUAGES)]
    return next(tag for tag in order if tag in tags)
