"""Users and administrators who ask again when the API server does not answer."""

import time
from typing import Any

from tests.support.rest import Answer
from tests.support.workspace import Admin
from typing_extensions import override

PATIENCE_SECONDS = 90.0
"""How long somebody asks again."""

PAUSE_SECONDS = 0.3
"""Between two tries."""

DONE_BEFORE = {("POST", 409), ("DELETE", 404)}
"""How a request is answered that was carried out already, without an answer."""


class PatientAdmin(Admin):
    """Asks again for as long as the API server is away, or cannot."""

    @override
    def call(self, verb: str, path: str, body: Any = None, **options: Any) -> Answer:
        deadline = time.monotonic() + PATIENCE_SECONDS
        again = False
        while True:
            try:
                answer = super().call(verb, path, body, **options)
            except OSError:
                if time.monotonic() > deadline:
                    raise
            else:
                if again and (verb, answer.code) in DONE_BEFORE:
                    return Answer(200, answer.body)
                if answer.code not in {429, 500, 503, 504} or time.monotonic() > deadline:
                    return answer
            again = True
            time.sleep(PAUSE_SECONDS)
