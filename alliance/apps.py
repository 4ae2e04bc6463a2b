from django.apps import AppConfig


class Alliance(AppConfig):
    name = "alliance"

    def ready(self) -> None:
        from alliance import sign_in_log  # noqa: F401 - it listens from here on
