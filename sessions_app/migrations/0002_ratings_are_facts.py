from django.db import migrations


class Migration(migrations.Migration):
    """Empty since triggers are declared beside the rows; see `alliance.triggers`."""

    dependencies = [("sessions_app", "0001_initial"), ("alliance", "0002_audit_is_append_only")]
    operations = []
