"""The pages about people: clients for therapists and administrators, the clinic for administrators."""

from django.urls import path

from clients.views import approvals, caseloads, clients, clinic, covers, duplicates, find, log, who_looked

client_pages = [
    path("", clients.listing, name="list"),
    path("find/", find.find, name="find"),
    path("new/", clients.register, name="register"),
    path("transfer/", caseloads.transfer, name="transfer"),
    path("transfers/<uuid:code>/", caseloads.transferred, name="transferred"),
    path("transfers/<uuid:code>/undo/", caseloads.undo_transfer, name="undo_transfer"),
    path("cover/", covers.listing, name="covers"),
    path("cover/new/", covers.arrange, name="arrange_cover"),
    path("cover/<uuid:code>/end/", covers.end, name="end_cover"),
    path("<uuid:code>/", clients.client, name="client"),
    path("<uuid:code>/change/", clients.change, name="change"),
    path("<uuid:code>/episodes/new/", clients.open_episode, name="open_episode"),
    path("<uuid:code>/merge/", duplicates.merge, name="merge"),
    path("<uuid:code>/tell-apart/", duplicates.tell_apart, name="tell_apart"),
    path("told-apart/<uuid:code>/undo/", duplicates.undo_telling_apart, name="undo_telling_apart"),
    path("merges/<uuid:code>/undo/", duplicates.undo_merge, name="undo_merge"),
    path("episodes/<uuid:code>/move/", duplicates.move_episode, name="move_episode"),
    path("moves/<uuid:code>/undo/", duplicates.undo_move, name="undo_move"),
    path("episodes/<uuid:code>/close/", clients.close_episode, name="close_episode"),
    path("episodes/<uuid:code>/reopen/", clients.reopen_episode, name="reopen_episode"),
    path("episodes/<uuid:code>/transfer/", clients.transfer_episode, name="transfer_episode"),
    path("episodes/<uuid:code>/days/", clients.correct_days, name="correct_days"),
    path("episodes/<uuid:code>/who-looked/", who_looked.client, name="who_looked"),
]
clinic_pages = [
    path("", clinic.people, name="people"),
    path("people/new/", clinic.add_person, name="add_person"),
    path("people/<uuid:pk>/", clinic.person, name="person"),
    path("people/<uuid:pk>/email/", clinic.change_email, name="change_email"),
    path("people/<uuid:pk>/invite/", clinic.invite, name="invite"),
    path("people/<uuid:pk>/sign-ins/", clinic.end_sign_ins, name="end_sign_ins"),
    path("people/<uuid:pk>/second-factor/", clinic.remove_second_factor, name="remove_second_factor"),
    path("supervision/", clinic.supervision, name="supervision"),
    path("supervision/new/", clinic.start_supervision, name="start_supervision"),
    path("supervision/<uuid:code>/end/", clinic.end_supervision, name="end_supervision"),
    path("supervision/<uuid:code>/days/", clinic.correct_supervision, name="correct_supervision"),
    path("duplicates/", duplicates.listing, name="duplicates"),
    path("log/", log.log, name="log"),
    path("log/export/", log.export_log, name="export_log"),
]
approval_pages = [
    path("", approvals.listing, name="list"),
    path("<uuid:code>/", approvals.request_, name="request"),
    path("<uuid:code>/decline/", approvals.decline, name="decline"),
    path("<uuid:code>/emergency/", approvals.emergency, name="emergency"),
]
