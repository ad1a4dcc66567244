"""What a rule of the policy is. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from smartapp.errors import Reason

Case = TypeVar("Case")


class Effect(StrEnum):
    """What a rule that holds does. A single denial outweighs any number of permissions."""

    DENY = "deny"
    ALLOW = "allow"


@dataclass(frozen=True)
class Rule(Generic[Case]):
    """One line of the policy: it holds for a case when every clause of `when` does.

    `name` is stable (audit, error bodies); `sentence` is for people. A rule without a clause would hold for everybody,
    so it cannot be made: ValueError.
    """

    name: str
    sentence: str
    effect: Effect
    when: tuple[Callable[[Case], bool], ...]

    def __post_init__(self) -> None:
        if not (self.name and self.sentence and self.when):
            raise ValueError(f"rule {self.name!r}: a name, a sentence and at least one clause are needed")

    def holds(self, case: Case) -> bool:
        """True when every clause does."""
        for clause in self.when:  # noqa: SIM110 - `all` takes twice as long, and a list asks it for every study
            if not clause(case):
                return False
        return True

    @property
    def reason(self) -> Reason:
        """The rule as a decision quotes it."""
        return Reason(self.name, self.sentence)


@dataclass(frozen=True)
class Ruling:
    """What a table says of one case, and the rule (or its absence) that it rests on."""

    allowed: bool
    reason: Reason


class Table(Generic[Case]):
    """Rules in one order: all denials before all permissions, so that the first that holds decides; none means no.

    ValueError when it is built out of order, with a name used twice, or without any permission.
    """

    def __init__(self, *rules: Rule[Case], otherwise: Reason) -> None:
        effects = [rule.effect for rule in rules]
        if effects != sorted(effects, key=list(Effect).index):
            raise ValueError("denials come first")
        if Effect.ALLOW not in effects:
            raise ValueError("a table that allows nothing needs no rules")
        if len({rule.name for rule in rules}) != len(rules):
            raise ValueError("each rule has a name of its own")
        self.rules = rules
        self._rulings = tuple((rule.holds, Ruling(rule.effect is Effect.ALLOW, rule.reason)) for rule in rules)
        self._otherwise = Ruling(allowed=False, reason=otherwise)

    def ruling(self, case: Case) -> Ruling:
        """The first rule that holds; `otherwise` when none does."""
        for holds, ruling in self._rulings:
            if holds(case):
                return ruling
        return self._otherwise
