import pytest
from django.urls import reverse

from tests import cast


@pytest.fixture
def administrator(clinic, sign_in):
    """Adam's browser, where he has just shown once more that it is he."""
    browser = sign_in(clinic.adam)
    browser.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
    return browser
