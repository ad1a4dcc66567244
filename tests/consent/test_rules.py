"""A table that could be misread cannot be built."""

import pytest

from smartapp.consent.rules import Effect, Rule, Table
from smartapp.errors import Reason

NO = Reason("no-rule", "Nothing allows it.")


def yes(case: int) -> bool:
    return case > 0


def even(case: int) -> bool:
    return case % 2 == 0


ALLOW = Rule[int]("positive", "Positive numbers may.", Effect.ALLOW, (yes,))
DENY = Rule[int]("even", "Even numbers may not.", Effect.DENY, (even,))


@pytest.mark.parametrize(
    ("name", "sentence", "when"), [("", "A sentence.", (yes,)), ("name", "", (yes,)), ("name", "A sentence.", ())]
)
def test_a_rule_without_name_sentence_or_clause_is_refused(name: str, sentence: str, when: tuple[()]) -> None:
    with pytest.raises(ValueError, match="at least one clause"):
        Rule[int](name, sentence, Effect.ALLOW, when)


@pytest.mark.parametrize("rules", [(), (DENY,), (ALLOW, DENY), (ALLOW, ALLOW)])
def test_a_table_out_of_shape_is_refused(rules: tuple[Rule[int], ...]) -> None:
    with pytest.raises(ValueError, match=r"first|nothing|name"):
        Table(*rules, otherwise=NO)


@pytest.mark.parametrize(("case", "code"), [(1, "positive"), (2, "even"), (-1, "no-rule"), (-2, "even")])
def test_a_denial_outweighs_and_absence_is_no(case: int, code: str) -> None:
    ruling = Table(DENY, ALLOW, otherwise=NO).ruling(case)
    assert ruling.reason.code == code
    assert ruling.allowed is (code == "positive")


def test_a_rule_holds_only_when_all_its_clauses_do() -> None:
    both = Rule[int]("both", "Positive and even.", Effect.ALLOW, (yes, even))
    assert [case for case in range(-2, 4) if both.holds(case)] == [2]
