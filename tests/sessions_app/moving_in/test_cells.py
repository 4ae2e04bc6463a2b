"""Days, times and marks, as they come; none is guessed at where it could be another."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from sessions_app.courses.models import Attendance
from sessions_app.moving_in import cells
from sessions_app.moving_in.cells import CellError


@pytest.mark.parametrize(
    "text", ["2025-03-31", "20250331", "31.03.2025", "31. 3. 2025", "31/03/2025", "31-03-2025"]
)
def test_a_day_in_each_of_its_spellings(text):
    assert cells.day_of(text) == date(2025, 3, 31)


def test_a_day_with_slashes_is_read_as_the_person_says():
    assert cells.day_of("03/04/2025") == date(2025, 4, 3)
    assert cells.day_of("03/04/2025", month_first=True) == date(2025, 3, 4)
    assert cells.day_of("03.04.2025", month_first=True) == date(2025, 4, 3)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("31.3.25", "four digits"),
        ("2025-02-30", "no day of the calendar"),
        ("1925-02-01", "before 1990"),
        ("soon", "is no day"),
        ("45748", "is no day"),  # what a spreadsheet counts days as
    ],
)
def test_what_is_no_day_is_a_sentence(text, sentence):
    with pytest.raises(CellError, match=sentence):
        cells.day_of(text)


class TestTheClinicsZone:
    @pytest.fixture(autouse=True)
    def _berlin(self, settings):
        settings.TIME_ZONE = "Europe/Berlin"
        timezone.get_default_timezone.cache_clear()
        yield
        timezone.get_default_timezone.cache_clear()

    @pytest.mark.parametrize(
        ("text", "apart", "moment"),
        [
            ("2025-01-20 14:30", "", datetime(2025, 1, 20, 13, 30, tzinfo=UTC)),
            ("2025-07-20T14:30:00", "", datetime(2025, 7, 20, 12, 30, tzinfo=UTC)),
            ("20.01.2025 14:30 Uhr", "", datetime(2025, 1, 20, 13, 30, tzinfo=UTC)),
            ("20.01.2025", "14.30", datetime(2025, 1, 20, 13, 30, tzinfo=UTC)),
            ("2025-01-20 00:00:00", "2:30 PM", datetime(2025, 1, 20, 13, 30, tzinfo=UTC)),
            ("2025-01-20T14:30Z", "", datetime(2025, 1, 20, 14, 30, tzinfo=UTC)),
            ("2025-01-20 14:30-05:00", "", datetime(2025, 1, 20, 19, 30, tzinfo=UTC)),
        ],
    )
    def test_a_time_is_the_clinics_own_unless_it_has_an_offset(self, text, apart, moment):
        assert cells.moment_of(text, apart) == (moment, True)

    @pytest.mark.parametrize("text", ["2025-01-20", "20.01.2025", "2025-01-20 00:00:00"])
    def test_without_a_time_it_is_noon(self, text):
        assert cells.moment_of(text) == (datetime(2025, 1, 20, 11, tzinfo=UTC), False)

    def test_a_time_that_was_left_out_when_clocks_went_forward_is_refused(self):
        with pytest.raises(CellError, match="02:30 did not exist on 30 March 2025"):
            cells.moment_of("2025-03-30 02:30")
        assert cells.moment_of("2025-03-30 03:00")[0] == datetime(2025, 3, 30, 1, tzinfo=UTC)

    def test_a_time_that_was_there_twice_is_the_first_of_the_two(self):
        assert cells.moment_of("2025-10-26 02:30")[0] == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
        assert cells.moment_of("2025-10-26 02:30+01:00")[0] == datetime(2025, 10, 26, 1, 30, tzinfo=UTC)

    def test_two_times_in_one_row_are_a_sentence(self):
        with pytest.raises(CellError, match="Leave one of them out"):
            cells.moment_of("2025-01-20 14:30", "15:00")


@pytest.mark.parametrize(
    ("text", "tenths"),
    [
        ("8.2", 82),
        ("8,2", 82),
        ("8", 80),
        ("8.20", 82),
        ("8,000", 80),
        ("10.0", 100),
        ("0", 0),
        ("", None),
        ("٨٫٢", 82),
    ],
)
def test_marks_with_comma_and_point(text, tenths):
    assert cells.tenths_of(text, 0, 100) == tenths


@pytest.mark.parametrize("text", ["8.25", "10.1", "-1", "eight", "8.2.1", "1e1"])
def test_what_is_no_mark_is_a_sentence_that_does_not_repeat_it(text):
    with pytest.raises(CellError) as error:
        cells.tenths_of(text, 0, 100)
    assert text not in str(error.value)


def test_words_of_two_languages():
    assert (
        cells.attendance_of("Nicht erschienen") == cells.attendance_of("no-show") == Attendance.DID_NOT_ATTEND
    )
    assert cells.language_of("Deutsch") == cells.language_of("German") == cells.language_of("de") == "de"
    assert cells.roles_of("Therapeut, Supervisor") == {"therapist", "supervisor"}
    with pytest.raises(CellError, match="“perhaps” is no attendance this site knows"):
        cells.attendance_of("perhaps")
    with pytest.raises(CellError, match="no role this site knows"):
        cells.roles_of("administrator")
