"""Moments, days, numbers and sizes as the language that is spoken writes them, in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime

from markupsafe import Markup, escape

from quartchat.locale.language import current

PATTERNS = {"minute": "d MMM y, HH:mm", "day": "d MMM y", "hour": "HH:mm"}
UNITS = ("byte", "kilobyte", "megabyte", "gigabyte", "terabyte")
WHOLE_DAY = "EEEE, d MMMM y"
MONTH = "LLLL y"


def when(timestamp: str, precision: str = "minute") -> Markup:
    """A `<time>` element with a short text in UTC, to the `minute` or the `day`, for RFC 3339;
    `brief`: the hour of today, else the day."""
    try:
        moment = datetime.fromisoformat(timestamp).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return escape(timestamp or "")
    if precision == "brief":
        precision = "hour" if moment.date() == datetime.now(UTC).date() else "day"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        timestamp, f"{moment:%Y-%m-%d %H:%M:%S} UTC", _in_words(moment, PATTERNS[precision])
    )


def day(moment: str | date) -> Markup:
    """A `<time>` element that names a day with its weekday. RFC 3339, its date alone, or a
    date; of a moment, the day that it is in UTC."""
    try:
        there = _day(moment)
    except (TypeError, ValueError, OverflowError):
        return escape(moment or "")
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        there.isoformat(), there.isoformat(), _in_words(there, WHOLE_DAY)
    )


def month(moment: str) -> Markup:
    """A `<time>` element that names the month, in UTC, of RFC 3339 or of a date."""
    there = _day(moment)
    return Markup('<time datetime="{}">{}</time>').format(
        f"{there:%Y-%m}", _in_words(there.replace(day=1), MONTH)
    )


def number(value: int) -> str:
    """`12345` -> `12,345`."""
    from babel.numbers import format_decimal  # noqa: PLC0415  (as below)

    return format_decimal(value, locale=current())


def size(value: int) -> str:
    """Bytes as people read them: `2.4 MB` (of 1,024 KB)."""
    from babel.units import format_unit  # noqa: PLC0415  (as below)

    power = min((max(value, 1).bit_length() - 1) // 10, len(UNITS) - 1)
    shown = round(value / 1024**power, 1 if power > 0 and value < 10 * 1024**power else 0)
    return format_unit(shown, f"digital-{UNITS[power]}", "short", locale=current())


def clock(seconds: float) -> str:
    """`75.4` -> `1:15`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _day(moment: str | date) -> date:
    if isinstance(moment, str):
        if len(moment) == len("2026-11-21"):
            return date.fromisoformat(moment)
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).date()
    return moment


def _in_words(moment: date, pattern: str) -> str:
    # Babel's data is megabytes: a server that shows no page to anybody does without it.
    from babel.dates import format_date, format_datetime  # noqa: PLC0415

    if isinstance(moment, datetime):
        return format_datetime(moment, pattern, locale=current())
    return format_date(moment, pattern, locale=current())
