"""A JSON text that arrives in pieces, read value by value in little memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from kwartier.errors import ContractError
from kwartier.wire import Json
from optimizer.as_json.strict_json import MAX_TEXT, no_json, once

_BLANKS = re.compile(r"[ \t\n\r]*")
_LONGEST_WORD = 16
"""No word or escape of JSON is longer, so an error further from the end is no cut-off word."""

_LOOSE = json.JSONDecoder()
_STRICT = json.JSONDecoder(object_pairs_hook=once)


class JsonPieces:
    """A place in a JSON text, of which only the part around it is kept."""

    def __init__(self, pieces: Iterator[str]) -> None:
        """Begin before the first character."""
        self._pieces = pieces
        self._text = ""
        self._at = 0
        self._value_at = 0
        self._lines = 0
        self._columns = 0

    def next_character(self) -> str:
        """Return the next character that is not blank, and stay before it; empty at the end."""
        while True:
            blanks = _BLANKS.match(self._text, self._at)
            self._at = blanks.end() if blanks else self._at
            if self._at < len(self._text) or not self._read_on():
                return self._text[self._at : self._at + 1]

    def pass_by(self, character: str, else_told: str) -> None:
        """Go past a character that has to be next.

        Raises:
            ContractError: Another one is.
        """
        if self.next_character() != character:
            raise self.no_json(else_told)
        self._at += 1

    def value(self) -> Json:
        """Return the next value and go past it; no object in it holds a key twice."""
        return self._value(_STRICT)

    def loose_value(self) -> tuple[Json, int | None]:
        """Return the next value and go past it, and how many texts and keys were written in it.

        Of a key that stands twice only the last is there, and then fewer texts are in the value
        than were written. The number is None when telling it would take more than counting quotes.
        """
        value = self._value(_LOOSE)
        text, start, end = self._text, self._value_at, self._at
        escapes = text.find("\\", start, end) >= 0
        if escapes and any(text.find(each, start, end) >= 0 for each in ('\\"', "\\\\")):
            return value, None
        return value, text.count('"', start, end) // 2

    def same_value(self) -> Json:
        """Return the last value once more; no object in it holds a key twice."""
        self._at = self._value_at
        return self._value(_STRICT)

    def end(self) -> None:
        """Refuse anything but blanks from here on."""
        if self.next_character():
            raise self.no_json("Extra data")

    def _value(self, decoder: json.JSONDecoder) -> Json:
        self.next_character()
        while True:
            self._value_at = self._at
            try:
                value, end = decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut_off = (
                    error.msg.startswith("Unterminated string")
                    or error.pos > len(self._text) - _LONGEST_WORD
                )
                if cut_off and self._read_on():
                    continue
                raise self.no_json(error.msg, error.pos) from error
            except (RecursionError, ValueError) as error:
                raise no_json(error) from error
            # A number at the very end of what is there may go on.
            whole = isinstance(value, dict | list | str) or end < len(self._text)
            if whole or not self._read_on():
                self._at = end
                read: Json = value
                return read

    def _read_on(self) -> bool:
        """Read at least as much as is still kept; forget what was passed by."""
        kept = len(self._text) - self._at
        if kept > MAX_TEXT:
            raise ContractError(f"one value of more than {MAX_TEXT} characters: at most that many")
        pieces, length = [], 0
        while length <= kept:
            piece = next(self._pieces, "")
            if not piece:
                break
            pieces.append(piece)
            length += len(piece)
        if not length:
            return False
        self._lines, self._columns = self._position(self._at)
        self._text = self._text[self._at :] + "".join(pieces)
        self._at = 0
        return True

    def _position(self, at: int) -> tuple[int, int]:
        """Return how many lines and then characters there are before a place."""
        lines = self._text.count("\n", 0, at)
        if not lines:
            return self._lines, self._columns + at
        return self._lines + lines, at - self._text.rindex("\n", 0, at) - 1

    def no_json(self, why: str, at: int | None = None) -> ContractError:
        """Return the error that refuses the text, here unless told where."""
        line, column = self._position(self._at if at is None else at)
        return ContractError(f"line {line + 1}, column {column + 1}: is no JSON: {why}")
