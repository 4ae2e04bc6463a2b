"""What follows from the facts: flags, and whatever else the revision stores of a course, and the talks about them.

All of it is concluded by the revision's own `recompute_flags`. Filling never writes a conclusion by itself, except
that it copies whole clinics (`copies`); and `differing` compares a sample with a fresh computation afterwards.
"""

import importlib
from datetime import datetime, timedelta
from io import StringIO
from random import Random
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction

from tests.bench.facts import SEED, made, stored

TALKED_ABOUT, RECENT = 0.85, timedelta(days=8)
SAMPLE = 100  # episodes whose stored conclusions are compared with fresh ones


def write(now: datetime) -> None:
    """Flags as if they had come when their ratings came, then talks about most of them, then all that follows."""
    recompute()
    _date_flags()
    _talks(Random(SEED), now)
    recompute()


def recompute(processes: int = 1) -> None:
    """Every conclusion that the revision stores, computed by its own command."""
    call_command("recompute_flags", processes=processes, stdout=StringIO())


def name_sessions_of_the_copy() -> None:
    """A standing names sessions by their row numbers, in JSON, which `copies` takes over as it is."""
    if "episodestanding" not in apps.all_models["sessions_app"]:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE {_table("EpisodeStanding")} standing SET course = jsonb_set(course, '{{flags}}', (
                SELECT coalesce(jsonb_agg(jsonb_set(flag, '{{session,0}}', to_jsonb(session.id)) ORDER BY place), '[]')
                FROM jsonb_array_elements(course -> 'flags') WITH ORDINALITY AS flags (flag, place)
                JOIN {_table("TherapySession")} session ON session.episode_id = standing.episode_id
                AND session.number = (flag -> 'session' ->> 1)::int))"""
        )


def differing(sample: int = SAMPLE) -> str:
    """A sentence about conclusions that are not what a fresh computation says; empty where all are equal."""
    episodes = apps.get_model("clients.Episode").objects
    every = max(1, episodes.count() // sample)
    keys = list(episodes.order_by("pk").values_list("pk", flat=True)[::every])
    if not apps.get_model("sessions_app.Flag").objects.filter(session__episode__in=keys).exists():
        return f"Of {len(keys)} episodes none has a flag."
    checks = _module("sessions_app.flags.checks")
    return _differing_from_fresh(checks, keys) if checks else _changed_by_a_refresh(keys)


def _differing_from_fresh(checks: Any, keys: list[int]) -> str:
    """What `recompute_flags --check` says, of these episodes and of every day's counts."""
    wrong = [f"Episode {key}: {what}." for key, what in checks.differing(keys)]
    wrong += [f"Counts of {therapist} on {day}." for therapist, day in checks.differing_days()]
    return f"{len(wrong)} differences. {wrong[0]}" if wrong else ""


def _changed_by_a_refresh(keys: list[int]) -> str:
    """For revisions that store no standing."""
    modules = filter(None, map(_module, ("sessions_app.flags.refresh", "sessions_app.actions.flags")))
    refresh = next((module.refresh_many for module in modules if hasattr(module, "refresh_many")), None)
    if refresh is None:
        return ""
    with transaction.atomic():
        changed = refresh(episodes=keys)
        transaction.set_rollback(True)
    return f"{changed} flags of {len(keys)} episodes change when they are computed again." if changed else ""


def _module(name: str) -> Any:
    """A module that some revisions have."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _date_flags() -> None:
    flag, rating, session = (_table(name) for name in ("Flag", "Rating", "TherapySession"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {flag} SET raised_at = {rating}.received_at FROM {rating} WHERE {rating}.id = {flag}.rating_id"
        )
        cursor.execute(
            f"UPDATE {flag} SET raised_at = {session}.ends_at + interval '24 hours' FROM {session} "
            f"WHERE {session}.id = {flag}.session_id AND {flag}.rating_id IS NULL"
        )


def _table(name: str) -> str:
    return apps.get_model("sessions_app", name)._meta.db_table


def _talks(rng: Random, now: datetime) -> None:
    """About the flags of a session that are a reason to talk: mostly at once, and of the last days less often."""
    flags = apps.get_model("sessions_app.Flag").objects.filter(on_work_list=True, withdrawn_at=None)
    talks: dict[int, Any] = {}
    about: list[tuple[Any, Any]] = []
    for flag in flags.select_related("session__episode").order_by("session_id", "pk"):
        if flag.session_id not in talks:
            fresh = 0.4 if now - flag.session.held_at < RECENT else 1.0
            talks[flag.session_id] = _talk(flag.session) if rng.random() < TALKED_ABOUT * fresh else None
        if talk := talks[flag.session_id]:
            about.append((talk, flag))
    stored([talk for talk in talks.values() if talk])
    through = apps.get_model("sessions_app.Discussion").flags.through
    stored([through(discussion=talk, flag=flag) for talk, flag in about])


def _talk(session: Any) -> Any:
    return made(
        "sessions_app.Discussion",
        session=session,
        said="We went too fast for me.",
        agreed="We begin with what matters most today.",
        discussed_at=session.ends_at + timedelta(hours=25),
        discussed_by=session.episode.therapist,
    )
