"""All that one person can open, with the codes of some rows."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from tests import cast
from tests.alliance.codes_of_pages import KIND_OF
from tests.alliance.page_table import OURS, addresses, browser_of, kinds_of, let_in, takes_a_code


def opened_by(name: str, clinic: cast.Clinic, codes: list[UUID]) -> Iterator[tuple[str, Any]]:
    """(address, answer) of every page of the site that lets this person in, with each code of the page's kind.

    One of another kind is as one of nothing: `test_a_code_of_another_kind_is_an_address_that_is_not_there`.
    """
    browser, kinds = browser_of(clinic, name), kinds_of(set(codes))
    for page, entry in OURS:
        fitting = [code for code in codes if kinds[code] == KIND_OF.get(page, kinds[code])]
        if name in let_in(page) and (fitting or not takes_a_code(entry)):
            for address in addresses(clinic, page, entry, fitting):
                yield address, browser.get(address)
