"""The pages of the client, the therapist and the supervisor."""

from django.urls import path

from sessions_app.views import caseload, dashboard, rate, therapy_sessions

rate_pages = [
    path("", rate.form, name="form"),
    path("done/", rate.done, name="done"),
    path("not-today/", rate.not_today, name="not_today"),
    path("help/", rate.help_page, name="help"),
]
dashboard_pages = [
    path("", dashboard.day, name="work_list"),
    path("clients/<uuid:code>/", dashboard.client, name="client"),
    path("clients/<uuid:code>/hand-over/", therapy_sessions.hand_over, name="hand_over"),
    path("clients/<uuid:code>/sessions/add/", therapy_sessions.add_session, name="add_session"),
    path("sessions/<uuid:code>/change/", therapy_sessions.change_session, name="change_session"),
    path("sessions/<uuid:code>/take-back/", therapy_sessions.take_back, name="take_back"),
    path("sessions/<uuid:code>/rating/", therapy_sessions.enter_rating, name="enter_rating"),
    path("sessions/<uuid:code>/discuss/", dashboard.discuss, name="discuss"),
    path("discussions/<uuid:code>/withdraw/", dashboard.withdraw_discussion, name="withdraw_discussion"),
]
caseload_pages = [
    path("", caseload.overview, name="overview"),
    path("clients/<uuid:code>/", caseload.client, name="client"),
]
