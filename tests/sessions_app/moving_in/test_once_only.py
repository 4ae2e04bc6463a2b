"""A key that stands in a file twice is found, however many there are."""

from sessions_app.moving_in.verdicts import OnceOnly


def test_each_key_is_new_once_also_when_the_table_has_grown():
    once = OnceOnly()
    keys = [("number", number) for number in range(5000)] + [(number, "day") for number in range(5000)]
    assert not any(once.is_again(*key) for key in keys)
    assert all(once.has(*key) for key in keys)
    assert all(once.is_again(*key) for key in keys)
    assert not once.has("number", 5000)
