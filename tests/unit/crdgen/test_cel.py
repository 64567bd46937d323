"""Parsing the part of CEL that our rules use."""

import pytest

from actor_operator.crdgen.cel import Call, CelError, Ident, Items, Literal, Select, parse

SELF = Ident("self")


def test_a_method_of_a_field() -> None:
    assert parse("self.name.matches('^a$')") == Call(
        "matches", Select(SELF, "name", optional=False), (Literal("^a$"),)
    )


def test_an_optional_field() -> None:
    assert parse("oldSelf.?spec.orValue(1)") == Call(
        "orValue", Select(Ident("oldSelf"), "spec", optional=True), (Literal(1),)
    )


def test_or_binds_looser_than_and_and_that_looser_than_comparing() -> None:
    assert parse("a || b && c == 1") == Call(
        "||",
        None,
        (
            Ident("a"),
            Call("&&", None, (Ident("b"), Call("==", None, (Ident("c"), Literal(1))))),
        ),
    )


def test_parentheses_change_that() -> None:
    assert parse("(a || b) && !c") == Call(
        "&&",
        None,
        (Call("||", None, (Ident("a"), Ident("b"))), Call("!", None, (Ident("c"),))),
    )


def test_operators_of_one_kind_bind_from_the_left() -> None:
    assert parse("1 - 2 + 3") == Call(
        "+", None, (Call("-", None, (Literal(1), Literal(2))), Literal(3))
    )


def test_a_choice() -> None:
    assert parse("a ? 1 : b ? 2 : 3") == Call(
        "?:",
        None,
        (Ident("a"), Literal(1), Call("?:", None, (Ident("b"), Literal(2), Literal(3)))),
    )


def test_lists_indexes_and_functions() -> None:
    assert parse("int(self[0]) in [1, true]") == Call(
        "in",
        None,
        (
            Call("int", None, (Call("[]", None, (SELF, Literal(0))),)),
            Items((Literal(1), Literal(value=True))),
        ),
    )


def test_an_operator_inside_a_text_is_text() -> None:
    assert parse("self == '||'") == Call("==", None, (SELF, Literal("||")))


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("self ==", "something is missing at the end of: self =="),
        ("self.", "a name is missing"),
        ("f(1", "',' is missing in: f(1"),
        ("a b", "is not expected in: a b"),
        ("a ? b", "':' is missing"),
        ("a == )", "')' is not expected"),
        ('"text"', "cannot read"),
    ],
)
def test_what_is_no_expression_is_an_error(rule: str, sentence: str) -> None:
    with pytest.raises(CelError) as error:
        parse(rule)

    assert sentence in str(error.value)
