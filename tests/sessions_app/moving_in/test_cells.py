"""Days, times and marks, as they come; none is guessed at where it could be another."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from sessions_app.courses.models import Attendance, Modality
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
        ("text", "apart", "sentence"),
        [
            ("2025-01-20", "in the morning", "“in the morning” is no time. Write it as hours and minutes"),
            ("2025-01-20 25:10", "", "“25:10” is no time of the day"),
            ("2025-01-20 14:30+25:00", "", "an offset that no clock has"),
            ("2025-01-20 14:30+٠١:٠٠", "", "an offset that no clock has"),
        ],
    )
    def test_a_time_that_no_clock_shows_is_a_sentence(self, text, apart, sentence):
        with pytest.raises(CellError) as error:
            cells.moment_of(text, apart)
        assert sentence in str(error.value)

    @pytest.mark.parametrize("text", ["9999-12-31", "9999-12-31 23:59:59", "9999-12-31 23:30-05:00"])
    def test_the_last_day_of_the_calendar_which_other_systems_write_for_never_is_a_sentence(self, text):
        with pytest.raises(CellError, match="more than a year ahead"):
            cells.moment_of(text)

    @pytest.mark.parametrize(
        ("text", "hour"), [("12:05 AM", 0), ("1:05 a.m.", 1), ("12:05 pm", 12), ("11.05 PM", 23)]
    )
    def test_the_hours_of_a_clock_with_twelve_of_them(self, text, hour):
        assert (cells.time_of(text).hour, cells.time_of(text).minute) == (hour, 5)


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
    assert cells.modality_of("Vor Ort") == cells.modality_of("in_person") == Modality.IN_PERSON
    with pytest.raises(CellError, match="“by post” is no way to meet this site knows"):
        cells.modality_of("by post")


@pytest.mark.parametrize("text", [",", " / ", "und"])
def test_a_cell_of_roles_that_names_none_makes_nobody_without_a_role(text):
    with pytest.raises(CellError, match="Write therapist, supervisor, or both"):
        cells.roles_of(text)


def test_a_day_alone_has_no_time_unless_a_spreadsheet_wrote_midnight():
    assert cells.only_day_of("2025-01-20 00:00:00") == date(2025, 1, 20)
    with pytest.raises(CellError, match="“2025-01-20 14:30” has a time"):
        cells.only_day_of("2025-01-20 14:30")


def test_an_address_that_cannot_be_kept_is_a_sentence():
    assert cells.email_of("Olga@Clinic.example") == "olga@clinic.example"
    with pytest.raises(CellError, match="“olga at clinic” is no e-mail address"):
        cells.email_of("olga at clinic")
    long = "@".join(["a" * 64, ".".join(["b" * 60] * 4)])
    with pytest.raises(CellError, match="longer than 254 characters"):
        cells.email_of(f"{long}.example")


def test_a_name_that_is_too_long_for_its_place_is_a_sentence():
    assert cells.line_of("x" * 40, 40) == "x" * 40
    with pytest.raises(CellError, match="is longer than 40 characters") as error:
        cells.line_of("y" * 200, 40)
    assert "y" * 41 not in str(error.value)
