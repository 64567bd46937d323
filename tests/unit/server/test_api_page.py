"""docs/api.md: its tables are those of the routes."""

from tests.api_page import PAGE, TWIN, Operation, operations, page


def test_the_page_has_the_tables_that_the_routes_make() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert page(text) == text, "run `make crds`"


def test_every_operation_has_a_sentence_and_a_permission() -> None:
    found = operations()

    assert len(found) > 200
    assert [one for one in found if not one.summary or not one.needs] == []


def test_actors_are_the_same_under_both_of_their_names() -> None:
    found = operations()

    def below(prefix: str) -> set[tuple[str, str, str]]:
        return {
            (one.method, one.path.removeprefix(prefix), one.needs)
            for one in found
            if f"{one.path}/".startswith(f"{prefix}/")
        }

    assert below("/v2/actors") == below(TWIN)


def test_an_operation_that_is_refused_is_called_so() -> None:
    def outcome(summary: str) -> str:
        return Operation("GET", "/v2/x", "X", "read", summary).outcome

    assert outcome("Refuse: this server does not support tasks") == "refused"
    assert outcome("List tasks: there are none") == "empty list"
    assert outcome("Find nothing: this server has no tasks") == "404"
    assert outcome("Get a run") == "served"
