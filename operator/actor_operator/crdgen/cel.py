"""A parser for the part of the Common Expression Language that our rules use.

It exists to estimate what a rule costs; the API server evaluates the rules.
"""

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+)|'(?P<text>[^'\\]*)'|(?P<word>[A-Za-z_]\w*)"""
    r"""|(?P<sign>\|\||&&|==|!=|<=|>=|\.\?|[-+<>!?:.,()\[\]]))"""
)
"""One token. Texts are in single quotes and have no escapes."""

BINARY = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"))
"""Operators of two operands, from the loosest to the tightest."""


class CelError(Exception):
    """A rule is not in the part of the language that is understood here."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a text, true or false."""

    value: int | str | bool


@dataclass(frozen=True, slots=True)
class Ident:
    """A variable: ``self``, ``oldSelf``, or that of ``all`` and ``exists``."""

    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """A field of an object: ``operand.field``, or ``operand.?field``."""

    operand: "Node"
    field: str
    optional: bool


@dataclass(frozen=True, slots=True)
class Call:
    """An operator, a function, a method of ``target``, an index or a macro."""

    name: str
    target: "Node | None"
    arguments: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Items:
    """A list that is written out."""

    items: "tuple[Node, ...]"


Node = Literal | Ident | Select | Call | Items
"""A parsed expression."""


def parse(rule: str) -> Node:
    """Parse a rule.

    Raises
    ------
    CelError
        If it uses something else than our rules do.
    """
    parser = _Parser(rule)
    node = parser.expression()
    if parser.next is not None:
        raise CelError(f"{parser.next!r} is not expected in: {rule}")
    return node


class _Parser:
    """Recursive descent over the tokens of one rule."""

    def __init__(self, rule: str) -> None:
        self._rule = rule
        self._tokens = list(self._split(rule))
        self._position = 0

    @staticmethod
    def _split(rule: str) -> list[tuple[str, str]]:
        tokens = []
        position = 0
        while position < len(rule.rstrip()):
            match = TOKEN.match(rule, position)
            if match is None:
                raise CelError(f"cannot read {rule[position:]!r}")
            kind = str(match.lastgroup)
            tokens.append((kind, match[kind]))
            position = match.end()
        return tokens

    @property
    def next(self) -> tuple[str, str] | None:
        """The token that comes next, if any is left."""
        return self._tokens[self._position] if self._position < len(self._tokens) else None

    def expression(self) -> Node:
        """``condition ? one : other``, or anything tighter."""
        condition = self._binary(0)
        if not self._take("?"):
            return condition
        one = self.expression()
        self._need(":")
        return Call("?:", None, (condition, one, self.expression()))

    def _binary(self, level: int) -> Node:
        if level == len(BINARY):
            return self._unary()
        left = self._binary(level + 1)
        while sign := self._take(*BINARY[level]):
            left = Call(sign, None, (left, self._binary(level + 1)))
        return left

    def _unary(self) -> Node:
        if self._take("!"):
            return Call("!", None, (self._unary(),))
        return self._member()

    def _member(self) -> Node:
        node = self._primary()
        while sign := self._take(".", ".?", "["):
            if sign == "[":
                node = Call("[]", None, (node, self.expression()))
                self._need("]")
                continue
            name = self._word()
            if sign == "." and self._take("("):
                node = Call(name, node, self._until(")"))
            else:
                node = Select(node, name, optional=sign == ".?")
        return node

    def _primary(self) -> Node:
        if self._take("("):
            node = self.expression()
            self._need(")")
            return node
        if self._take("["):
            return Items(self._until("]"))
        if self.next is None:
            raise CelError(f"something is missing at the end of: {self._rule}")
        kind, text = self.next
        self._position += 1
        match kind:
            case "number":
                return Literal(int(text))
            case "text":
                return Literal(text)
            case "word" if text in {"true", "false"}:
                return Literal(text == "true")
            case "word":
                return Call(text, None, self._until(")")) if self._take("(") else Ident(text)
            case _:
                raise CelError(f"{text!r} is not expected in: {self._rule}")

    def _until(self, end: str) -> tuple[Node, ...]:
        nodes: list[Node] = []
        while not self._take(end):
            if nodes:
                self._need(",")
            nodes.append(self.expression())
        return tuple(nodes)

    def _word(self) -> str:
        kind, text = self.next or ("", "")
        if kind != "word":
            raise CelError(f"a name is missing before {text!r} in: {self._rule}")
        self._position += 1
        return text

    def _take(self, *signs: str) -> str | None:
        token = self.next
        if token is None or token[0] == "text" or token[1] not in signs:
            return None
        self._position += 1
        return token[1]

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise CelError(f"{sign!r} is missing in: {self._rule}")
