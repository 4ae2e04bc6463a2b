"""One word, five places: rate, go, room for the client; for staff the rest."""

from django.conf import settings
from django.urls import include, path

from alliance import views
from alliance.operations.views import health_pages
from clients.urls import approval_pages, client_pages, clinic_pages
from sessions_app.urls import (
    caseload_pages,
    dashboard_pages,
    erasure_pages,
    export_pages,
    go_pages,
    group_pages,
    import_pages,
    instrument_pages,
    marks_pages,
    pass_pages,
    plan_pages,
    questionnaire_pages,
    rate_pages,
    record_pages,
    room_pages,
    rule_pages,
    settings_pages,
    supervision_pages,
    tablet_pages,
    together_pages,
)

urlpatterns = [
    path("", views.home, name="home"),
    path(".well-known/security.txt", views.security_txt, name="security_txt"),
    path("accounts/", include("alliance.account_urls")),
    path("rate/", include((rate_pages, "rate"))),
    path("go/", include((go_pages, "go"))),
    path("room/", include((room_pages, "room"))),
    path("pass/", include((pass_pages, "pass"))),
    path("groups/", include((group_pages, "groups"))),
    path("tablets/", include((tablet_pages, "tablets"))),
    path("dashboard/", include((dashboard_pages, "dashboard"))),
    path("marks/", include((marks_pages, "marks"))),
    path("questionnaires/", include((questionnaire_pages, "questionnaires"))),
    path("together/", include((together_pages, "together"))),
    path("caseload/", include((caseload_pages, "caseload"))),
    path("supervision/", include((supervision_pages, "supervision"))),
    path("rules/", include((rule_pages, "rules"))),
    path("clients/", include((client_pages, "clients"))),
    path("clinic/import/", include((import_pages, "import"))),
    path("clinic/instruments/", include((instrument_pages, "instruments"))),
    path("clinic/erasures/", include((erasure_pages, "erasures"))),
    path("export/", include((export_pages, "exports"))),
    path("records/", include((record_pages, "records"))),
    path("clinic/plan/", include((plan_pages, "plan"))),
    path("approvals/", include((approval_pages, "approvals"))),
    path("clinic/health/", include((health_pages, "health"))),
    path("clinic/settings/", include((settings_pages, "settings"))),
    path("clinic/", include((clinic_pages, "clinic"))),
]

handler400 = "sessions_app.intake.views.errors.bad_request"
handler404 = "sessions_app.intake.views.errors.not_found"
handler500 = "sessions_app.intake.views.errors.server_error"
handler503 = "sessions_app.intake.views.errors.closed"

if settings.DEBUG:
    urlpatterns.append(path("gallery/", views.gallery, name="gallery"))
