"""Labels of the full length without a space, in wide letters: on no page of staff they leave a narrow screen."""

import json

import pytest
from django.test import Client as Browser

from alliance.models import User
from clients.models import Client
from sessions_app.courses.tablets import PairedTablet
from tests import cast
from tests.alliance.page_table import OPEN_TO, OURS, addresses, with_rows
from tests.browser.conftest import NARROW

WIDEST = "W"
# What sticks out to the side, by its own text: the page says where to look.
STICKS_OUT = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const inside = (one) => one.closest('.table-scroll, .visually-hidden, .skip-link, .chart');
  return [...document.querySelectorAll('body *')]
    .filter((one) => one.getBoundingClientRect().right > width + 0.5 && !inside(one))
    .map((one) => `${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 60)}`);
}"""


@pytest.fixture
def world(live_clinic):
    world = with_rows(live_clinic)
    room = PairedTablet.objects.get(name="Room 3")
    cast.sent(cast.therapy_session(world.olgas), tablet=room, by=world.olga)
    again = cast.episode(world.carl, "k-1")
    for row in (*Client.objects.all(), *User.objects.all(), room):
        name = "label" if isinstance(row, Client) else "name"
        most = row._meta.get_field(name).max_length
        setattr(row, name, WIDEST * (most - 2) + f"{row.code if name == 'label' else row.pk}"[-2:])
        row.save()
    Client.objects.filter(pk=again.client_id).update(label=Client.objects.get(pk=world.olgas.client_id).label)
    return world


def pages_of(world, who):
    """One address of each page that this person can open."""
    asked = Browser()
    asked.force_login(getattr(world, who), backend="allauth.account.auth_backends.AuthenticationBackend")
    for name, entry in (one for one in OURS if who in OPEN_TO[one[0].split(":")[0]]):
        for address in addresses(world, name, entry):
            if name in {"clients:merge", "clients:move_episode", "clients:tell_apart"}:
                other = Client.objects.exclude(code=world.olgas.client.code).filter(merged_into=None).last()
                address += f"?other={other.code}"
            answer = asked.get(address)
            if answer.status_code == 200 and not answer.streaming and b"<html" in answer.content:
                yield address
                break


def test_labels_of_forty_letters_stay_on_a_narrow_screen(world, another_browser, sign_in_browser):
    wrong = {}
    for who in ("olga", "sina", "adam"):
        context = another_browser(viewport=NARROW)
        sign_in_browser(context, getattr(world, who))
        page = context.new_page()
        opened = list(pages_of(world, who))
        assert len(opened) > 3, who
        for address in opened:
            page.goto(address)
            if found := page.evaluate(STICKS_OUT):
                wrong[f"{who}: {address}"] = found
        context.close()
    assert wrong == {}, json.dumps(wrong, indent=1)
