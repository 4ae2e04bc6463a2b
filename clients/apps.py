from django.apps import AppConfig


class Clients(AppConfig):
    name = "clients"

    def ready(self) -> None:
        from alliance import refused_pages
        from clients.access_log import client_of_code

        refused_pages.client_of_code.append(client_of_code)
