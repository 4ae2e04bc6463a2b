"""The pages of the client, the therapist and the supervisor."""

from django.urls import path

from sessions_app.views import caseload, dashboard, rate

rate_pages = [
    path("", rate.form, name="form"),
]
dashboard_pages = [
    path("", dashboard.work_list, name="work_list"),
    path("clients/<uuid:code>/", dashboard.client, name="client"),
]
caseload_pages = [
    path("", caseload.overview, name="overview"),
    path("clients/<uuid:code>/", caseload.client, name="client"),
]
