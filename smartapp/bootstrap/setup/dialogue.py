"""The conversation of `smartapp init`: answers, what is to be trusted, what is written, what the EHR must be told."""

import getpass
from dataclasses import replace
from pathlib import Path

from smartapp.bootstrap.setup import answers as answer_file
from smartapp.bootstrap.setup import questions
from smartapp.bootstrap.setup.answers import Answers, Hospital
from smartapp.bootstrap.setup.origins import named_by
from smartapp.bootstrap.setup.questions import Terminal
from smartapp.bootstrap.setup.service import for_the_ehr, install, occupied
from smartapp.errors import ConfigurationError
from smartapp.settings import Settings


def at_terminal() -> Terminal:
    """Questions on standard output, answers from standard input, secrets without echo."""
    return Terminal(input, getpass.getpass, lambda text: print(text, flush=True))  # noqa: T201 -- the command line prints


def run(terminal: Terminal, folder: Path, answers: Path | None, *, overwrite: bool) -> Settings | None:
    """The settings that were made; None when somebody did not want theirs replaced.

    Raises ConfigurationError for answers that will not do. With a file of answers nothing is asked: what would need a
    person's judgement is refused instead, with what to add.
    """
    if occupied(folder) and not overwrite:
        if answers is not None:
            raise ConfigurationError(f"{folder} holds a configuration: choose another --folder, or say --overwrite.")
        if not terminal.agree(f"{folder} holds a configuration. Replace it? Keys and secrets are kept."):
            return None
    try:
        given = answer_file.read(answers) if answers is not None else questions.ask(terminal, folder)
    except EOFError:
        raise ConfigurationError("The answers ended early: nothing was configured.") from None
    pinned = tuple(_pinned(terminal, hospital, asks=answers is None) for hospital in given.hospitals)
    settings = install(Answers(given.site, pinned), folder)
    terminal.say(f"Written to {folder.resolve()}. Back up its keys folder now, apart from the database.")
    terminal.say("\n".join(("For the EHR's administrator:", *(f"  {line}" for line in for_the_ehr(settings)))))
    terminal.say(f"Next: smartapp --config {folder.resolve() / 'smartapp.toml'} serve (and worker). The doctor says:")
    return settings


def _pinned(terminal: Terminal, hospital: Hospital, *, asks: bool) -> Hospital:
    """Adds what the EHR names, if a person says that it is the hospital's."""
    named = named_by(hospital)
    if not named:
        return hospital
    if not asks:
        listed = ", ".join(f'"{origin}"' for origin in (*hospital.trusted_origins, *named))
        raise ConfigurationError(
            f"The EHR of {hospital.id} sends people to other origins. If they are the hospital's, add to its answers: "
            f"trusted_origins = [{listed}]"
        )
    terminal.say("The EHR says that it also works at: " + ", ".join(named))
    if not terminal.agree("Are these the hospital's? Credentials will be sent there."):
        return hospital
    return replace(hospital, trusted_origins=(*hospital.trusted_origins, *named))
