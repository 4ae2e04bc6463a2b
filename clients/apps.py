from django.apps import AppConfig


class Clients(AppConfig):
    name = "clients"

    def ready(self) -> None:
        from alliance import approvals, refused_pages
        from alliance.operations import clock_tasks
        from alliance.operations.clock_tasks import every
        from clients import (  # noqa: F401 - what they register
            approved_records,
            approved_staff,
            approved_supervision,
            checks_of_approvals,
        )
        from clients.access_log import client_of_code
        from clients.approval_actions import take_due

        approvals.register(take_due)
        clock_tasks.register("approvals", every(minutes=5), lambda _since: f"{take_due()} took effect")
        refused_pages.client_of_code.append(client_of_code)
