"""What a bank's line is: a file's money, a payment taken back, or a member who paid by hand.

Certain signs only, the surest first: the end-to-end id, the file's name, the mandate, a document's
number in the text, and an amount from an account that is known. Whatever is less certain is left to
a person, with suggestions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from api.cooperative.payments.camt import BankLine
from api.cooperative.payments.items import OpenItem, Part, net, take
from api.cooperative.payments.sepa import Direction

_WORD = re.compile(r"[A-Z0-9]+", re.ASCII)
_MOST_WORDS = 4
_MOST_SUGGESTIONS = 5


class How(StrEnum):
    """By which sign a line was matched."""

    END_TO_END = "end_to_end"
    BATCH = "batch"
    MANDATE = "mandate"
    DOCUMENT = "document"
    AMOUNT = "amount_iban"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Sent:
    """An instruction of a released file.

    Attributes:
        id: Its row.
        file: The file's number.
        party: Whose.
        direction: Which way the money went.
        end_to_end: Its reference.
        mandate: The mandate's reference; empty when paying out.
        cents: How much, above zero.
        parts: What it took of which items.
        cleared: Whether the bank showed it.
        returned: Whether the bank took it back.
    """

    id: int
    file: int
    party: str
    direction: Direction
    end_to_end: str
    mandate: str
    cents: int
    parts: tuple[Part, ...]
    cleared: bool = False
    returned: bool = False

    @property
    def bank_cents(self) -> int:
        """How it stands on the bank's statement; into the account is above zero."""
        return self.cents if self.direction is Direction.COLLECT else -self.cents


@dataclass(frozen=True, slots=True)
class Match:
    """What a line, or a part of it, is.

    Attributes:
        how: By which sign.
        cents: How much of the line it explains, with the line's sign.
        party: Whose; empty for a whole file.
        sent: The instruction it shows or takes back; None for other payments.
        file: The file it shows; None for other payments.
        parts: What it takes of open items; of a payment taken back, what it opens again.
        returns: Whether it takes an instruction back.
    """

    how: How
    cents: int
    party: str = ""
    sent: Sent | None = None
    file: int | None = None
    parts: tuple[Part, ...] = ()
    returns: bool = False


@dataclass(frozen=True, slots=True)
class Signs:
    """Where the words on a bank's line lead, so that no line is held against everything.

    Attributes:
        mandates: End-to-end ids of instructions, by their mandate's plain text and cents.
        documents: Parties by the plain text of their papers' numbers.
    """

    mandates: dict[tuple[str, int], list[str]]
    documents: dict[str, set[str]]

    @classmethod
    def of(cls, sent: Iterable[Sent], items: Mapping[str, Iterable[OpenItem]]) -> Signs:
        """Return the signs of instructions and of parties' items."""
        mandates: dict[tuple[str, int], list[str]] = {}
        for each in sent:
            if each.mandate:
                place = _plain(each.mandate), each.cents
                mandates.setdefault(place, []).append(each.end_to_end)
        documents: dict[str, set[str]] = {}
        for party, held in items.items():
            for item in held:
                documents.setdefault(_plain(item.document), set()).add(party)
        return cls(mandates, documents)


@dataclass(slots=True)
class Standing:
    """Everything a line can be about; a match that is taken changes it.

    Attributes:
        sent: Instructions of released files, by end-to-end id.
        files: Numbers of released files, by their name at the bank.
        uncleared: What the bank has still to show of each file, as it stands on its statement.
        items: Open items by party.
        accounts: Parties by the fingerprint of their accounts.

    What is sent and open is filled in before the first line is decided, and after that changed by
    ``accept`` alone.
    """

    sent: dict[str, Sent] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    uncleared: dict[int, int] = field(default_factory=dict)
    items: dict[str, list[OpenItem]] = field(default_factory=dict)
    accounts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _signs: Signs | None = None
    _amounts: Mapping[int, frozenset[str]] | None = None

    def decide(self, line: BankLine, account: str) -> Match | None:
        """Return what a line is; None when no sign is certain.

        Args:
            line: What the bank booked.
            account: Fingerprint of the account at the other side.
        """
        return (
            self._by_reference(line)
            or self._by_batch(line)
            or self._by_mandate(line)
            or self._by_document(line)
            or self._by_amount(line, account)
        )

    def accept(self, match: Match) -> None:
        """Take a match into account for the lines that follow."""
        if match.sent is not None:
            sent = match.sent
            self.sent[sent.end_to_end] = replace(
                sent,
                cleared=sent.cleared or not match.returns,
                returned=sent.returned or match.returns,
            )
        if match.file is not None and not match.returns:
            self.uncleared[match.file] -= match.cents
        for part in match.parts:
            self._settle(part)

    def suggestions(self, line: BankLine, account: str) -> tuple[str, ...]:
        """Return parties a person may think of, the likeliest first."""
        same_account = self.accounts.get(account, frozenset())
        same_amount = self._parties_by_amount().get(line.cents, frozenset())
        likely = sorted(same_account & same_amount) + sorted(same_account) + sorted(same_amount)
        return tuple(dict.fromkeys(likely))[:_MOST_SUGGESTIONS]

    def _by_reference(self, line: BankLine) -> Match | None:
        sent = self.sent.get(line.end_to_end)
        return None if sent is None else self._of_sent(sent, line, How.END_TO_END)

    def _of_sent(self, sent: Sent, line: BankLine, how: How) -> Match | None:
        room = abs(self.uncleared.get(sent.file, 0)) >= sent.cents
        if line.cents == sent.bank_cents and room and not sent.cleared and not line.returned:
            return Match(how, line.cents, sent.party, sent, sent.file)
        goes_back = line.cents * sent.bank_cents < 0 and abs(line.cents) >= sent.cents
        if goes_back and not sent.returned:
            opened = tuple(replace(part, cents=-part.cents) for part in sent.parts)
            return Match(how, -sent.bank_cents, sent.party, sent, sent.file, opened, returns=True)
        return None

    def _by_batch(self, line: BankLine) -> Match | None:
        file = self.files.get(line.batch) or self.files.get(line.batch.rpartition("-")[0])
        if file is None or line.returned:
            return None
        uncleared = self.uncleared.get(file, 0)
        if line.cents * uncleared <= 0 or abs(line.cents) > abs(uncleared):
            return None
        return Match(How.BATCH, line.cents, file=file)

    def _by_mandate(self, line: BankLine) -> Match | None:
        words = _joined_words(f"{line.mandate} {line.text}")
        mandates = self._known_signs().mandates
        meant = [name for word in words for name in mandates.get((word, abs(line.cents)), ())]
        found = [self._of_sent(self.sent[name], line, How.MANDATE) for name in meant]
        certain = [match for match in found if match is not None]
        return certain[0] if len(certain) == 1 else None

    def _by_document(self, line: BankLine) -> Match | None:
        if line.returned:
            return None
        words = _joined_words(f"{line.end_to_end} {line.text}")
        documents = self._known_signs().documents
        named = {
            party: [
                item for item in self.items[party] if item.rest and _plain(item.document) in words
            ]
            for party in {party for word in words for party in documents.get(word, ())}
        }
        meant = {party: items for party, items in named.items() if items}
        if len(meant) != 1:
            return None
        ((party, items),) = meant.items()
        everything = self.items[party]
        if net(everything) == line.cents or not _has_room(items, line.cents):
            # Who pays what is asked in all pays every paper, whichever one is named.
            items = everything
        return self._payment(How.DOCUMENT, party, items, line.cents)

    def _by_amount(self, line: BankLine, account: str) -> Match | None:
        parties = self.accounts.get(account, frozenset())
        fitting = [name for name in parties if self._fits(self.items.get(name, []), line.cents)]
        if len(fitting) != 1 or line.returned:
            return None
        items = self.items[fitting[0]]
        if net(items) != line.cents:
            items = [item for item in items if item.rest == line.cents][:1]
        return self._payment(How.AMOUNT, fitting[0], items, line.cents)

    def _payment(self, how: How, party: str, items: list[OpenItem], cents: int) -> Match | None:
        open_cents = net(items)
        if open_cents * cents <= 0:
            return None
        paid = cents if abs(cents) <= abs(open_cents) else open_cents
        return Match(how, paid, party, parts=take(items, paid))

    def _fits(self, items: Iterable[OpenItem], cents: int) -> bool:
        held = list(items)
        return net(held) == cents or any(item.rest == cents for item in held)

    def _settle(self, part: Part) -> None:
        """Write a part onto the item it is about, which may have been closed and forgotten."""
        self._amounts = None
        items = self.items.setdefault(part.item.party, [])
        for place, item in enumerate(items):
            if (item.document, item.account) == (part.item.document, part.item.account):
                items[place] = replace(item, settled=item.settled + part.cents)
                return
        items.append(replace(part.item, settled=part.item.settled + part.cents))
        self._known_signs().documents.setdefault(_plain(part.item.document), set()).add(
            part.item.party
        )

    def _known_signs(self) -> Signs:
        """Return the signs of everything that is sent or open, worked out once."""
        if self._signs is None:
            self._signs = Signs.of(self.sent.values(), self.items)
        return self._signs

    def _parties_by_amount(self) -> Mapping[int, frozenset[str]]:
        """Return parties by what they have open in all, or on one paper [cents]."""
        if self._amounts is None:
            found: dict[int, set[str]] = {}
            for party, items in self.items.items():
                for cents in (net(items), *(item.rest for item in items)):
                    found.setdefault(cents, set()).add(party)
            self._amounts = {cents: frozenset(parties) for cents, parties in found.items()}
        return self._amounts


def by_hand(items: list[OpenItem], party: str, cents: int) -> Match:
    """Return the match a person makes: as much of a line as the party has open.

    Raises:
        BooksError: Nothing is open that way round.
    """
    open_cents = net(items)
    fits = open_cents * cents > 0
    paid = open_cents if fits and abs(cents) > abs(open_cents) else cents
    return Match(How.BY_HAND, paid, party, parts=take(items, paid))


def _has_room(items: Iterable[OpenItem], cents: int) -> bool:
    open_cents = net(items)
    return open_cents * cents > 0 and abs(cents) <= abs(open_cents)


def _plain(text: str) -> str:
    return "".join(_WORD.findall(text.upper()))


def _joined_words(text: str) -> frozenset[str]:
    """Return every run of at most four words written together, as people break up a number."""
    words = _WORD.findall(text.upper())
    return frozenset(
        "".join(words[start:end])
        for start in range(len(words))
        for end in range(start + 1, min(start + _MOST_WORDS, len(words)) + 1)
    )
