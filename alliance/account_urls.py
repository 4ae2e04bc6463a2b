"""The pages of one's own account. Of allauth's those alone that this site uses: the others are not there.

Each has its text in `templates/account`, `templates/mfa` or `templates/usersessions`; a test walks them.
"""

from allauth.account import views as allauth
from django.urls import include, path, re_path

from alliance import drafts, unsaved, views
from alliance.account_views import change_email, confirm_email, sign_ins

urlpatterns = [
    path("security/", views.account_security, name="account_security"),
    path("still-here/", views.still_here, name="still_here"),
    path("draft-keys/", drafts.keys, name="draft_keys"),
    path("unsaved/discard/", unsaved.discard, name="discard_unsaved"),
    path("email/", change_email, name="change_email"),
    path("email/confirm/", confirm_email, name="confirm_email"),
    path("login/", allauth.login, name="account_login"),
    path("logout/", allauth.logout, name="account_logout"),
    path("inactive/", allauth.account_inactive, name="account_inactive"),
    path("reauthenticate/", allauth.reauthenticate, name="account_reauthenticate"),
    path("password/change/", allauth.password_change, name="account_change_password"),
    path("password/reset/", allauth.password_reset, name="account_reset_password"),
    path("password/reset/done/", allauth.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        allauth.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        allauth.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("2fa/", include("allauth.mfa.urls")),
    path("sessions/", sign_ins, name="usersessions_list"),
]
