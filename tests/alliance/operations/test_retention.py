"""Which backups go: by tables of moments."""

from datetime import UTC, datetime, timedelta

import pytest

from alliance.operations.retention import Keep, to_delete

KEEP = Keep(daily=14, weekly=8, monthly=12)


def nightly(nights, last=datetime(2026, 11, 28, 9, 15, tzinfo=UTC)):
    return [last - timedelta(days=ago) for ago in range(nights)]


def kept(made, keep=KEEP, **more):
    return sorted(set(made) - set(to_delete(made, keep, **more)), reverse=True)


@pytest.mark.usefixtures("settings")
class TestOfEveryNight:
    def test_a_year_and_more(self, settings):
        settings.TIME_ZONE = "Europe/Berlin"
        left = [at.date().isoformat() for at in kept(nightly(500))]
        assert left[:14] == [at.date().isoformat() for at in nightly(14)]
        # Sundays, the last days of weeks; then last days of months.
        assert left[14:20] == [
            "2026-11-08",
            "2026-11-01",
            "2026-10-31",
            "2026-10-25",
            "2026-10-18",
            "2026-10-11",
        ]
        assert left[20:22] == ["2026-09-30", "2026-08-31"]
        assert left[-1] == "2025-12-31"
        assert len(left) == 14 + 5 + 11

    def test_fewer_than_are_kept_all_stay(self):
        assert to_delete(nightly(14), KEEP) == []
        assert to_delete([], KEEP) == []

    def test_several_a_day_stay_for_two_days_and_then_the_newest(self):
        last = datetime(2026, 11, 28, 20, 0, tzinfo=UTC)
        hourly = [last - timedelta(hours=ago) for ago in range(24 * 5)]
        left = kept(hourly)
        assert left[:48] == hourly[:48]
        assert len(left) == 48 + 3


def test_one_who_was_away_for_two_years_loses_nothing_by_that():
    old = nightly(10, datetime(2024, 11, 28, 9, 15, tzinfo=UTC))
    assert to_delete([datetime(2026, 11, 28, 9, 15, tzinfo=UTC), *old], KEEP) == []


def test_the_last_one_found_whole_and_the_newest_never_go():
    made = nightly(400)
    whole = made[250]
    assert whole in to_delete(made, KEEP)
    assert whole not in to_delete(made, KEEP, never=[whole])
    assert kept(made, Keep(1, 0, 0)) == made[:2]
    assert kept([made[0], made[9]], Keep(1, 0, 0)) == [made[0]]
    assert to_delete(made, Keep(1, 0, 0)) == sorted(to_delete(made, Keep(1, 0, 0)))
