"""python -m tests.chaos.in_site: what needs Django, on the database of DATABASE_URL, in a process of its own.

tickets RATINGS REGISTRATIONS    make them, and print them as JSON
census                           read tickets from the input, and print what stands of each
clock SECONDS                    the clock, in a process whose time is wrong by so much
"""

import json
import sys
from dataclasses import asdict

import django


def main(what: str, *numbers: str) -> None:
    django.setup()
    from tests.chaos import census, tickets

    if what == "tickets":
        print(json.dumps(tickets.make(*map(int, numbers))))
    elif what == "census":
        rows = census.taken(tickets.read(json.load(sys.stdin)))
        print(json.dumps({name: asdict(row) for name, row in rows.items()}))
    else:
        _clock(float(numbers[0]))


def _clock(seconds: float) -> None:
    import time

    import time_machine
    from django.core.management import call_command

    with time_machine.travel(time.time() + seconds, tick=True):
        call_command("clock")


if __name__ == "__main__":
    main(*sys.argv[1:])
