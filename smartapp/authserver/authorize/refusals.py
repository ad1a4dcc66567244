"""How a request is refused: on our own page as long as it is not certain whose it is, else at the app."""

from smartapp.errors import BadInput


class PageRefused(BadInput):
    """Nothing is sent anywhere (RFC 6749 §4.1.2.1). `kind` names the audit row; `why` is for the app's developer.

    `waiting`: the app is known, and may not ask yet or no more (`unauthorized_client`).
    """

    def __init__(self, kind: str, why: str, *, waiting: bool = False) -> None:
        super().__init__(kind)
        self.kind = kind
        self.why = why
        self.waiting = waiting


class AnswerRefused(BadInput):
    """The app is told at its redirect URI: `error` is the registered code, `description` a fixed sentence."""

    def __init__(self, error: str, why: str, description: str, *, kind: str = "oauth.authorize.reject") -> None:
        super().__init__(kind)
        self.error = error
        self.why = why
        self.description = description
        self.kind = kind
