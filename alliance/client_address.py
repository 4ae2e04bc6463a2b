"""The address a request came from, behind as many proxies as the settings trust."""

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


def get_client_ip(request: HttpRequest) -> str | None:
    """allauth's answer, which also counts wrong passwords by it; None where no address is known."""
    try:
        address: str = get_adapter().get_client_ip(request)
    except PermissionDenied:
        return None
    return address
