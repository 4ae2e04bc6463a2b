"""Files with wording as a clinic would load them, in invented words."""

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
