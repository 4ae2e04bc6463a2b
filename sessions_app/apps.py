from datetime import timedelta

from django.apps import AppConfig


class SessionsApp(AppConfig):
    name = "sessions_app"

    def ready(self) -> None:
        from alliance import guessing
        from alliance.operations import checks_of_key, clock_tasks, kept_rows
        from alliance.operations.clock_tasks import command, daily, every
        from clients import closing, more_pages
        from sessions_app.dashboards.newest_page import newest_page
        from sessions_app.dashboards.still_out import CoursesOfTheClinic
        from sessions_app.flags import (
            first_standing,  # noqa: F401 - it listens from here on
            missing_ratings,
        )
        from sessions_app.groups import approved_leaders, link_to_groups, which_form  # noqa: F401 - its kind
        from sessions_app.instruments import promises
        from sessions_app.intake import waiting
        from sessions_app.moving_in import sealed_file
        from sessions_app.plans import forms_of_sessions, raters
        from sessions_app.questionnaires import guesses

        checks_of_key.SEALED["files that wait to be imported"] = sealed_file.each_opens
        promises.register_raters(raters.in_use)
        guessing.register(guesses.in_use)
        waiting.register()
        closing.register(CoursesOfTheClinic())
        forms_of_sessions.register(which_form.form_of)
        more_pages.register(link_to_groups.link_for)
        more_pages.register_of_course(link_to_groups.links_of_course)
        kept_rows.register(
            kept_rows.Kept("sessions_app_rating", "received_at", "rating", "ratings"),
            kept_rows.Kept(
                "sessions_app_questionnaireresponse",
                "received_at",
                "answered questionnaire",
                "answered questionnaires",
            ),
        )
        kept_rows.register_page(newest_page)
        clock_tasks.register("raise_missing", every(minutes=15), missing_ratings.raise_flags)
        clock_tasks.register("remove_import_files", every(minutes=15), command("remove_import_files"))
        clock_tasks.register(
            "recompute_flags",
            every(minutes=1),
            command("recompute_flags", "--pending"),
            longest=timedelta(hours=12),
        )
        clock_tasks.register("check_standings", daily(at=3), command("check_standings"))
