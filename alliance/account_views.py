"""The pages of one's own account that allauth does not bring, or brings otherwise: another e-mail address."""

from allauth.usersessions.views import list_usersessions
from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from alliance import mail, rate_limits
from alliance.access import SETTLING_IN, STAFF, StaffRequest, page
from alliance.ask_again import ask_again
from alliance.email_addresses import LINK_GOOD_FOR, link_for, link_of, tell_former_address
from alliance.email_addresses import change_email as write_email
from alliance.form_pages import form_page, posted, written
from alliance.models import Role, User

NOT_GOOD = 404
NOT_SENT = "The mail could not be sent, so nothing was changed. Try again later, or ask an administrator."


class EmailForm(forms.Form):
    email = forms.EmailField(
        label="New e-mail address",
        widget=forms.EmailInput({"autocomplete": "email", "spellcheck": "false"}),
    )

    def __init__(self, data: QueryDict | None, *, person: User) -> None:
        super().__init__(data)
        self.person = person

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if email == self.person.email:
            raise forms.ValidationError("This is the present address already.")
        if User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError("Somebody on the list has this e-mail address already.")
        return email


@require_http_methods(["GET", "HEAD", "POST"])
@page(STAFF)
@ask_again
def change_email(request: StaffRequest) -> HttpResponse:
    """Send a link to the new address. Until it is used nothing is changed."""
    form = EmailForm(posted(request), person=request.user)
    days = LINK_GOOD_FOR.days
    if not mail.is_set_up():
        others = User.objects.with_role(Role.ADMINISTRATOR)
        return render(request, "account/no_mail.html", {"administrators": others})
    if form.is_valid():
        try:
            rate_limits.one_try(request, "email_link")
        except rate_limits.TooOften:
            return rate_limits.wait(request, "429.html")
        new = form.cleaned_data["email"]
        address = f"{reverse('confirm_email')}?{urlencode({'link': link_for(request.user, new)})}"
        about = {"person": request.user, "link": request.build_absolute_uri(address), "days": days}
        text = render_to_string("account/email/confirm_email.txt", about)
        if mail.sent("Confirm your e-mail address", text, new):
            return render(request, "account/email_link_sent.html", {"new": new, "days": days})
        form.add_error(None, NOT_SENT)
    return form_page(request, "account/email.html", form, days=days)


@require_http_methods(["GET", "HEAD", "POST"])
@page(STAFF)
def confirm_email(request: StaffRequest) -> HttpResponse:
    """Where the link leads. It is good for the person alone to whom it was sent, once they are signed in."""
    link = link_of(request.user, request.GET.get("link", ""))
    if link is None:
        return render(request, "account/email_link_not_good.html", status=NOT_GOOD)
    form = forms.Form(posted(request))
    if written(form, write_email, person=request.user, email=link.new, by=request.user):
        tell_former_address(link.former, request.user)
        messages.success(request, f"Your e-mail address is {link.new} now. From now on, sign in with it.")
        return redirect("account_security")
    return form_page(request, "account/confirm_email.html", form, link=link)


@require_http_methods(["GET", "HEAD", "POST"])
@page(SETTLING_IN)
@ask_again
def sign_ins(request: StaffRequest) -> HttpResponse:
    """allauth's page, but whoever sits at an open screen ends no sign-in elsewhere without showing who they are."""
    answer: HttpResponse = list_usersessions(request)
    return answer
