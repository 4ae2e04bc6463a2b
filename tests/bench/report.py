"""The tables that `make bench` prints, as Markdown: docs/performance.md takes them as they are."""

from collections.abc import Iterator

from tests.bench.pages import DATABASE_MS, GROWTH, PAGES, TABLETS, TABLETS_SHARE, Page
from tests.bench.rounds import Results

COLUMNS = (
    "page",
    "CPU",
    "target",
    "p50 ms",
    "p95 ms",
    "queries",
    "in the database",
    "its CPU",
    "KiB",
    "verdict",
)
HOW_TO_READ = f"""\
CPU: of the web server for one request, as a multiple of the bare page's in the same round; median of the rounds.
queries: statements that PostgreSQL counted for one request, without BEGIN and COMMIT.
in the database: planning and execution, elapsed, by pg_stat_statements, in the quietest round;
for lists under {DATABASE_MS:g} ms.
its CPU: of PostgreSQL's processes, with parsing and commits. KiB: compressed, as sent or as a proxy would.
One request at a time: p50 and p95 are what one person waits for on this machine, beside whatever else it does."""


def table(results: Results) -> str:
    rows = [_row(page, results) for page in PAGES]
    return _as_table(COLUMNS, rows) + _left_out(results) + "\n\n" + _tablets(results)


def _row(page: Page, results: Results) -> tuple[str, ...]:
    name = page.name
    if not results.rounds[name]:
        return (name, *["-"] * (len(COLUMNS) - 2), "left out")
    return (
        name,
        f"{results.multiple(name):.1f}x",
        f"<= {page.most:g}x" if page.most else "",
        f"{results.percentile(name, 0.5):.1f}",
        f"{results.percentile(name, 0.95):.1f}",
        f"{results.statements(name):.1f}",
        f"{results.database_ms(name):.2f} ms",
        f"{results.database_cpu_ms(name):.2f} ms",
        f"{results.bytes(name) / 1024:.1f}",
        "; ".join(_verdicts(page, results)),
    )


def _verdicts(page: Page, results: Results) -> Iterator[str]:
    if page.most:
        yield verdict(results.multiple(page.name), page.most, "x")
    if page.is_list:
        yield f"database {verdict(results.database_ms(page.name), DATABASE_MS, ' ms')}"


def verdict(figure: float, most: float, unit: str) -> str:
    """What is rounded up to the target meets it: the table shows no more than a tenth."""
    over = round(figure - most, 1)
    return "met" if over <= 0 else f"missed by {over:g}{unit}"


def _tablets(results: Results) -> str:
    """While nobody is about to send a form: the site says when a tablet asks again."""
    waits = "paired tablet that waits"
    if not results.rounds[waits]:
        return ""
    beat = results.tablet_beat
    share = TABLETS / beat * results.cpu_ms(waits) / 1000
    return (
        f"{TABLETS} paired tablets that wait and ask every {beat:g} s use {share:.2f} of one processor "
        f"(target: under {TABLETS_SHARE:g}): {verdict(share, TABLETS_SHARE, '')}."
    )


def _left_out(results: Results) -> str:
    return "".join(f"\n\nLeft out: {page}. {why}" for page, why in results.problems.items())


def growth(small: Results, big: Results) -> str:
    """What a page costs with a million ratings, beside what it costs with ten thousand."""
    rows = []
    for page in PAGES[1:]:
        if small.rounds[page.name] and big.rounds[page.name]:
            few, many = small.whole_cost(page.name), big.whole_cost(page.name)
            row = (page.name, f"{few:.1f}x", f"{many:.1f}x", f"{many / few:.2f}")
            rows.append((*row, verdict(many / few, GROWTH, "")))
    heads = ("page, with the database's CPU", small.name, big.name, f"growth, <= {GROWTH:g}", "verdict")
    return _as_table(heads, rows)


def comparison(now: Results, then: Results) -> str:
    """What a change did: the same page of two revisions in the same rounds. The bare page's ratio is noise."""
    rows = []
    for page in PAGES:
        name = page.name
        if not (now.rounds[name] and then.rounds[name]):
            why = now.problems.get(name) or then.problems.get(name) or "it was not measured"
            rows.append((name, *["-"] * 5, f"left out: {why}"))
            continue
        rows.append(
            (
                name,
                f"{then.multiple(name):.1f}x",
                f"{now.multiple(name):.1f}x",
                f"{now.change_since(then, name):.2f}",
                f"{then.database_ms(name):.2f} -> {now.database_ms(name):.2f} ms",
                f"{then.statements(name):.0f} -> {now.statements(name):.0f}",
                f"{then.percentile(name, 0.5):.1f} -> {now.percentile(name, 0.5):.1f} ms",
            )
        )
    heads = ("page", then.name, now.name, "CPU now / then", "in the database", "queries", "p50")
    return _as_table(heads, rows)


def _as_table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
    lines = [heads, tuple("-" * width for width in widths), *rows]
    return "\n".join(
        "| " + " | ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    )
