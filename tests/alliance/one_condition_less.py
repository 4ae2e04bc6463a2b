"""Take each condition out of the source of a door, one at a time, and see who misses it.

A door is a function or a method that says whose rows somebody may see: `Door(holder, name, seen)`. `seen` are the
questions whose answers must then differ for somebody: of a person, answered with what can be compared.
"""

import ast
import copy
import inspect
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

Seen = Callable[[Any], object]


@dataclass(frozen=True)
class Door:
    holder: Any  # the class or the module
    name: str
    seen: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.holder.__name__}.{self.name}"


@dataclass
class Tried:
    unmissed: set[str]
    broken: set[str]
    number: int = 0


def pks(rows: Callable[[Any], Any]) -> Seen:
    """The rows that a door opens, by number."""
    return lambda person: frozenset(rows(person).values_list("pk", flat=True))


def answers(
    people: Mapping[str, Any], questions: Mapping[str, Seen], asked: Iterable[str]
) -> Iterator[object]:
    """One after the other: whoever compares stops at the first difference."""
    for name in asked:
        for person in people.values():
            yield questions[name](person)


def try_all(
    doors: Iterable[Door],
    people: Mapping[str, Any],
    questions: Mapping[str, Seen],
    patch: Any,
    prepare: Callable[[Any], None] = lambda patch: None,
) -> Tried:
    """`prepare` puts together anew what the code has put together once, from the functions as they are then."""
    tried = Tried(set(), set())
    prepare(patch)
    for door in doors:
        stands = list(answers(people, questions, door.seen))
        written: Counter[str] = Counter()
        for taken, function in less_of(door):
            tried.number += 1
            written[taken] += 1
            again = f" ({written[taken]})" if written[taken] > 1 else ""
            what = f"{door} without {taken}{again}"
            with patch.context() as changed:
                changed.setattr(door.holder, door.name, function)
                try:
                    with (
                        transaction.atomic()
                    ):  # PostgreSQL would answer nothing any more after one that breaks
                        prepare(changed)
                        asked = answers(people, questions, door.seen)
                        if all(now == then for now, then in zip(asked, stands, strict=True)):
                            tried.unmissed.add(what)
                except Exception:  # nobody sees anything by it
                    tried.broken.add(what)
    return tried


def less_of(door):
    """(what was taken out, the door without it): each condition, and of a queryset all that it says of its reader."""
    if inspect.isclass(door.holder) and issubclass(door.holder, QuerySet):
        yield "all of it", lambda rows, *_: rows.all()
    yield from without_one_condition(getattr(door.holder, door.name))


def without_one_condition(function):
    """(what was taken out, the function without it), for each condition in its source."""
    source = textwrap.dedent(inspect.getsource(function))
    tree = ast.parse(source)
    for node in ast.walk(tree):  # a type is no condition, though it may look like one
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
    for place, node in enumerate(ast.walk(tree)):
        for number, taken in enumerate(conditions_of(node)):
            changed = copy.deepcopy(tree)
            take_out(list(ast.walk(changed))[place], number)
            yield ast.unparse(taken), compiled(changed.body, function)


def compiled(body, function):
    """In a function whose argument is the class: `super()` looks for it under this name."""
    around = ast.parse(f"def made(__class__):\n    return {function.__name__}")
    around.body[0].body[:0] = body
    namespace = dict(vars(sys.modules[function.__module__]))
    exec(compile(ast.fix_missing_locations(around), "<one condition less>", "exec"), namespace)  # noqa: S102
    return namespace["made"](class_of(function))


def class_of(function):
    found = sys.modules[function.__module__]
    for part in function.__qualname__.split(".")[:-1]:
        found = getattr(found, part)
    return found


def conditions_of(node):
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd):
        return [node.left, node.right]
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.BitOr | ast.BitAnd):
        return [node.value]
    if isinstance(node, ast.If | ast.IfExp):
        return [node.test]
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {"filter", "exclude", "Q"}:
        return [*node.args, *[one.value for one in node.keywords]]
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "open":
        return [node]
    if isinstance(node, ast.Compare) and len(node.ops) == 2:  # within two bounds
        return [node.left, node.comparators[-1]]
    return []


def take_out(node, number):
    if isinstance(node, ast.BoolOp):
        del node.values[number]
        if len(node.values) == 1:
            node.values.append(node.values[0])
    elif isinstance(node, ast.BinOp):
        stays = node.right if number == 0 else node.left
        node.left = node.right = stays
    elif isinstance(node, ast.AugAssign):
        node.value = copy.deepcopy(node.target)
        node.value.ctx = ast.Load()
    elif isinstance(node, ast.If | ast.IfExp):
        node.test = ast.Constant(value=False)
    elif isinstance(node, ast.Compare):
        if number == 0:
            node.left = node.comparators.pop(0)
            del node.ops[0]
        else:
            del node.comparators[-1], node.ops[-1]
    elif ast.unparse(node.func).split(".")[-1] == "open":
        node.func.attr = "all"
    elif number < len(node.args):
        del node.args[number]
    else:
        del node.keywords[number - len(node.args)]
