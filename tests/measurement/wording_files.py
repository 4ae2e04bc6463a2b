"""Files with wording as a clinic would load them, in invented words."""

from collections.abc import Mapping, Sequence

from alliance.measurement import instruments

ITEMS = ("relationship", "goals", "approach", "overall")


def a_file(**changes: str | None) -> str:
    """A whole file in invented words; `changes` by place, such as `goals__low_end`; None leaves a part out."""
    parts = {
        "instrument": "srs",
        "language": "en",
        "edition": "2026",
        "title": "Invented title",
        "introduction": "Invented introduction.",
    }
    for item in ITEMS:
        for part in ("question", "low_end", "high_end"):
            parts[f"{item}__{part}"] = f"Invented {part} about {item}"
    parts |= changes
    lines = [f"{k} = '{v}'" for k, v in parts.items() if "__" not in k and v is not None]
    for item in ITEMS:
        said = {k.split("__")[1]: v for k, v in parts.items() if k.startswith(f"{item}__") and v is not None}
        lines += [f"[items.{item}]", *(f"{k} = '{v}'" for k, v in said.items())]
    return "\n".join(lines)


def a_form(
    instrument: str = "wai-sr",
    *,
    items: int | None = None,
    points: tuple[int, int] | None = None,
    stated: str | None = None,
    more: str = "",
    **head: str,
) -> str:
    """A whole file of choices in invented words.

    items, points: as the definition has them, unless told otherwise. stated: what stands under [stated]; by itself
    whatever the definition leaves to state, and for a subscale that nobody knows the next items in turn.
    """
    definition = instruments.get(instrument)
    count = items or len(definition.items)
    low, high = points or (definition.items[0].minimum // 10, definition.items[0].maximum // 10)
    parts = {
        "instrument": instrument,
        "language": "en",
        "edition": "2026",
        "title": "Invented title",
        "introduction": "Invented introduction.",
        **head,
    }
    lines = [f"{k} = '{v}'" for k, v in parts.items()]
    lines += ["[points]", *(f"{n} = 'Invented label {n}'" for n in range(low, high + 1))]
    lines += [
        "[items]",
        *(f"item-{n} = 'Invented question {n} about {{therapist}}'" for n in range(1, count + 1)),
    ]
    return "\n".join([*lines, as_it_is(instrument) if stated is None else stated, more])


def as_it_is(instrument: str) -> str:
    """The [stated] part that says of an instrument what we remember, or something that could be so."""
    definition = instruments.get(instrument)
    if not definition.to_state:
        return ""
    low, high = definition.items[0].minimum // 10, definition.items[0].maximum // 10
    turned = [n for n, item in enumerate(definition.items, 1) if item.reverse]
    said = {"items": len(definition.items), "range": [low, high], "reverse": turned}
    lines = ["[stated]", *(f"{part} = {said[part]}" for part in said if part in definition.to_state)]
    if "subscales" in definition.to_state:
        lines += ["[stated.subscales]", *(f"'{name}' = {ids}" for name, ids in subscales(instrument).items())]
    return "\n".join(lines)


def subscales(instrument: str) -> Mapping[str, Sequence[int]]:
    """Subscales by the numbers of their items: those we remember, or the next items in turn."""
    definition = instruments.get(instrument)
    if definition.subscales:
        return {
            name: [int(one.removeprefix("item-")) for one in ids]
            for name, ids in definition.subscales.items()
        }
    names = list(definition.subscale_sizes) or [f"scale {n}" for n in range(definition.number_of_subscales)]
    size = len(definition.items) // len(names)
    return {name: list(range(size * n + 1, size * (n + 1) + 1)) for n, name in enumerate(names)}


def a_pack(**changes: str | None) -> dict[str, bytes]:
    """The files of a pack in invented words; `changes` of its head, None leaves a part out."""
    head = {
        "instrument": "core-10",
        "name": "Invented pack",
        "owner": "Invented owner",
        "licence": "CC BY-NC-ND 4.0",
        "terms": "Invented terms.",
        "source": "https://owner.example/form",
        "line": "© Invented owner",
        **changes,
    }
    lines = [f"{k} = '{v}'" for k, v in head.items() if v is not None]
    return {
        "pack.toml": "\n".join([*lines, "date = 2026-01-31"]).encode(),
        "en.toml": a_form("core-10").encode(),
    }
