from django.apps import AppConfig


class SessionsApp(AppConfig):
    name = "sessions_app"

    def ready(self) -> None:
        from clients import closing, more_pages
        from sessions_app.dashboards.still_out import CoursesOfTheClinic
        from sessions_app.flags import first_standing  # noqa: F401 - it listens from here on
        from sessions_app.groups import link_to_groups, which_form
        from sessions_app.plans import forms_of_sessions

        closing.register(CoursesOfTheClinic())
        forms_of_sessions.register(which_form.form_of)
        more_pages.register(link_to_groups.link_for)
