"""Static files with the hash of their content in the name, brotli-compressed."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):
    # Off by default in Django: without it a module would import the other by its unhashed name and
    # could run beside an older version of it after an upgrade.
    support_js_module_import_aggregation = True
