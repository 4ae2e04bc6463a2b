"""Pages of a list that grows for years: every row is reached, and no more is counted than a reader needs."""

import pytest
from django.db import connection
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext

from alliance import long_list
from alliance.long_list import LongList
from clients.models import Client

pytestmark = pytest.mark.django_db
COUNTED = Template("{{ page.paginator.count }} row{{ page.paginator.count|pluralize }}")
TOTAL = Template("{{ page.number }} of {{ page.paginator.num_pages }}")


@pytest.fixture(autouse=True)
def count_to_six(monkeypatch):
    monkeypatch.setattr(long_list, "COUNT_TO", 6)


def page(many, asked=None):
    """A page of two, of a list with `many` rows."""
    there = Client.objects.count()
    Client.objects.bulk_create(Client(label=f"C-{number:02}") for number in range(there, many))
    return LongList(Client.objects.filter(label__lt=f"C-{many:02}"), 2).page(asked)


def told(page):
    context = Context({"page": page})
    return COUNTED.render(context), TOTAL.render(context)


def labels(page):
    return [client.label for client in page]


@pytest.mark.parametrize(
    ("many", "asked", "expected"),
    [
        (0, None, ("0 rows", "1 of 1")),
        (1, None, ("1 row", "1 of 1")),
        (2, None, ("2 rows", "1 of 1")),
        (3, None, ("3 rows", "1 of 2")),
        (6, "2", ("6 rows", "2 of 3")),
        (6, "3", ("6 rows", "3 of 3")),
        (7, "1", ("more than 6 rows", "1 of more than 3")),
        (7, "4", ("7 rows", "4 of 4")),
        (20, "3", ("more than 6 rows", "3 of more than 3")),
        (20, "7", ("more than 14 rows", "7 of more than 7")),
        (20, "10", ("20 rows", "10 of 10")),
    ],
)
def test_what_it_says_of_its_length(many, asked, expected):
    assert told(page(many, asked)) == expected


@pytest.mark.parametrize("many", [0, 1, 2, 5, 6, 7, 8, 19])
def test_next_leads_to_every_row_once_and_previous_back(many):
    seen, one = [], page(many)
    while True:
        seen += labels(one)
        if not one.has_next():
            break
        following = page(many, str(one.next_page_number()))
        assert following.has_previous()
        assert labels(page(many, str(following.previous_page_number()))) == labels(one)
        one = following
    assert seen == [f"C-{number:02}" for number in range(many)]


@pytest.mark.parametrize("asked", [None, "", "x", "-1", "0", "1.5", "²"])
def test_what_is_no_number_is_the_first_page(asked):
    assert labels(page(5, asked)) == ["C-00", "C-01"]


@pytest.mark.parametrize("asked", ["4", "99", "999999999"])
def test_a_page_behind_the_last_is_the_last_where_all_is_counted(asked):
    assert labels(page(5, asked)) == ["C-04"]


@pytest.mark.parametrize("asked", ["11", "999999999"])
def test_and_else_the_last_that_is_counted(asked):
    """With a way on: nothing is out of reach."""
    one = page(20, asked)
    assert labels(one) == ["C-04", "C-05"]
    assert one.has_next()


def test_a_number_of_many_digits_is_no_page():
    assert labels(page(20, "9" * 5000)) == ["C-00", "C-01"]


@pytest.mark.parametrize(("many", "asked"), [(0, None), (3, "2"), (20, None), (20, "9")])
def test_two_queries_and_none_reads_more_than_it_shows_or_counts(many, asked):
    page(many)
    with CaptureQueriesContext(connection) as queries:
        page_of = LongList(Client.objects.all(), 2).page(asked)
        labels(page_of)
        told(page_of)
    assert ["LIMIT 7" in queries[0]["sql"], "LIMIT 3" in queries[1]["sql"]] == [True, True]
    assert len(queries) == 2
