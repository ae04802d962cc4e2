"""Letters kept in a folder instead of sent: for the demo, and to try things out."""

from __future__ import annotations

import secrets
from email.headerregistry import Address
from pathlib import Path

from api.mail import Mail
from api.post.settings import MailSettings, Security
from api.post.smtp import letter_bytes
from kwartier.clock import Clock
from kwartier.errors import LinkDownError

_NOBODY = MailSettings("localhost", 25, Security.NONE, Address("", "post", "demo.invalid"))


class FolderMailer:
    """Writes each letter into a folder as a file that mail programs open."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Keep letters in a folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._clock = clock

    def send(self, mail: Mail) -> str:
        """Write a letter down, and return its Message-ID.

        Raises:
            MailRefusedError: The address is none.
            LinkDownError: The folder cannot be written.
        """
        name = mail.name or f"m-{secrets.token_hex(12)}"
        message_id = f"<{name}@demo.invalid>"
        now_s = self._clock.now_s()
        letter = letter_bytes(mail, _NOBODY, now_s, message_id)
        try:
            (self._folder / f"{int(now_s)}-{name}.eml").write_bytes(letter)
        except OSError as error:
            raise LinkDownError(f"the folder of letters: {error.strerror}") from error
        return message_id
