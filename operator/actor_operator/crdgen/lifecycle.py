"""Phases, conditions and reasons → the generated parts of docs/lifecycle.md."""

import ast
import inspect
import textwrap
from enum import StrEnum

from actor_operator.api.v1alpha1.advice import ADVICE, NOTHING, Advice
from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import FINISHED, STEPS, Phase
from actor_operator.crdgen.markdown import table

PAGE = "docs/lifecycle.md"
"""The page, relative to the repository."""


def lifecycle_parts() -> dict[str, str]:
    """The generated parts of the page, by name."""
    return {
        "diagram": state_diagram(),
        "phases": _phases(),
        "conditions": _conditions(),
        "reasons": _reasons(),
    }


def state_diagram() -> str:
    """The steps between phases as a Mermaid diagram, which GitHub and GitLab draw."""
    lines = ["```mermaid", "stateDiagram-v2"]
    # A name with a hyphen is no identifier there.
    lines += [f'    state "{phase}" as {_id(phase)}' for phase in Phase if "-" in phase]
    lines.append(f"    [*] --> {_id(Phase.READY)}")
    lines += [
        f"    {_id(before)} --> {_id(after)}{': resurrected' if before in FINISHED else ''}"
        for before in Phase
        for after in Phase
        if after in STEPS[before]
    ]
    return "\n".join([*lines, "```"])


def _id(phase: Phase) -> str:
    return phase.replace("-", "_")


def _phases() -> str:
    meanings = member_docs(Phase)
    rows = [
        (f"`{phase}`", meanings[phase], ", ".join(f"`{p}`" for p in Phase if p in STEPS[phase]))
        for phase in Phase
    ]
    return table(("phase", "meaning", "may become"), rows)


def _conditions() -> str:
    meanings = member_docs(ConditionType)
    return table(("condition", "meaning"), ((f"`{kind}`", meanings[kind]) for kind in meanings))


def _reasons() -> str:
    meanings = member_docs(Reason)
    sections = []
    for kind, reasons in ADVICE.items():
        rows = (
            (f"`{reason}`", meanings[reason], _advice(advice)) for reason, advice in reasons.items()
        )
        sections.append(f"### `{kind}`\n\n{table(('reason', 'meaning', 'what to do'), rows)}")
    return "\n\n".join(sections)


def _advice(advice: Advice) -> str:
    if advice == NOTHING:
        return ""
    command = f"`{advice.command}`" if advice.command else ""
    failed = f"If the run failed for it: {_lowered(advice.failed)}" if advice.failed else ""
    return " ".join(filter(None, (advice.text, command, failed)))


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def member_docs(enum: type[StrEnum]) -> dict[str, str]:
    """The string under each member of an enumeration, by the member's value."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(enum))).body
    if not isinstance(definition, ast.ClassDef):
        raise TypeError(f"{enum} is no class")
    docs: dict[str, str] = {}
    for statement, following in zip(definition.body, definition.body[1:], strict=False):
        match statement, following:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                docs[enum[name].value] = " ".join(text.replace("``", "`").split())
            case _:
                pass
    return docs
