"""Reports of mail that came back: which letter, and why.

Source:
    RFC 3464 (delivery status), RFC 3462 (``multipart/report``), RFC 3463 (status codes).
"""

from __future__ import annotations

import email
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage, Message

from sqlalchemy import select

from api.people.accounts import SYSTEM
from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.tables import MessageRow
from api.post.outbox import State, end
from kwartier.errors import ContractError

MOST_BYTES = 1024 * 1024
"""The largest report that is read [bytes]."""
MOST_PARTS = 50
"""The most parts of a report, which has three; a deeper or longer one costs the reader too much."""
MOST_BOUNDARIES = 200
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_OURS = re.compile(r"<(m-[0-9a-f]{24})@[^<>\s]+>")


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says.

    Attributes:
        mail_id: Which letter of ours it is about.
        failed: Whether it did not arrive, for good.
        status: The status, such as ``5.1.1``; empty when it tells none.
    """

    mail_id: str
    failed: bool
    status: str


def read_report(raw: bytes) -> Report:
    """Return what a report says.

    Raises:
        ContractError: It is too large, is no delivery report, or is about no letter of ours.
    """
    if len(raw) > MOST_BYTES:
        raise ContractError(f"a report of more than {MOST_BYTES} bytes: it is not read")
    if raw.lower().count(b"content-type") > MOST_PARTS or raw.count(b"\n--") > MOST_BOUNDARIES:
        raise ContractError(f"a report of more than {MOST_PARTS} parts: it is not read")
    letter: EmailMessage[str, str] = email.message_from_bytes(raw, policy=policy.default)
    parts = list(letter.walk())
    status = next((each for each in parts if _kind(each) == "message/delivery-status"), None)
    if status is None:
        raise ContractError("this is no delivery report (RFC 3464): give the whole mail as it came")
    mail_id = _mail_id(parts)
    if mail_id is None:
        raise ContractError("this report names no letter of ours: its Message-ID is not in it")
    return _report(mail_id, status)


def take_in(desk: PeopleDesk, report: Report) -> bool:
    """Write a report down, and return whether a message bounced by it.

    Only what was sent can come back; the same report again, or one of a delay, changes nothing.
    """
    row = desk.session.scalars(
        select(MessageRow).where(MessageRow.mail_id == report.mail_id)
    ).first()
    if row is None or not report.failed or row.state != State.SENT:
        return False
    end(desk, row.id, State.BOUNCED, f"bounced {report.status}".rstrip())
    record(desk, SYSTEM, "post.bounced", str(row.id), {"status": report.status})
    return True


def _report(mail_id: str, status: Message[str, str]) -> Report:
    failed, code = False, ""
    blocks = status.get_payload()
    for block in blocks if isinstance(blocks, list) else []:
        if not isinstance(block, Message):
            continue
        if str(block.get("Action", "")).strip().lower() == "failed":
            failed = True
            found = _STATUS.search(str(block.get("Status", "")))
            code = found[0] if found else code
    return Report(mail_id, failed, code)


def _mail_id(parts: Sequence[Message[str, str]]) -> str | None:
    """Return which letter of ours is in the report, whole or by its headers."""
    for part in parts:
        if _kind(part) == "text/rfc822-headers":
            body = part.get_payload(decode=True)
            headers = email.message_from_bytes(
                body if isinstance(body, bytes) else b"", policy=policy.default
            )
            found = _OURS.fullmatch(str(headers.get("Message-ID", "")).strip())
        else:
            found = _OURS.fullmatch(str(part.get("Message-ID", "")).strip())
        if found:
            return found[1]
    return None


def _kind(part: Message[str, str]) -> str:
    return part.get_content_type()
