"""Static files with the hash of their content in the name, brotli-compressed."""

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):
    # Off by default in Django: without it a module would import the other by its unhashed name and
    # could run beside an older version of it after an upgrade.
    support_js_module_import_aggregation = True


class CollectedFiles(StaticFilesConfig):
    # htmx's extensions, which this site does not use, import "htmx" from a bundler, which it does not have.
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "django_htmx/ext/*"]  # noqa: RUF012 - Django's own
