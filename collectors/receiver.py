"""What happens to each block that arrives: the receiving half of the protocol, without network.

A block is taken in when it is the next of its gateway's epoch; one that was taken in before is
acknowledged again, one that comes too early is reported as a gap and left. What cannot be read or
stored is set aside with its bytes and counts as taken in, so that it stops nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from collectors.store import DeadLetter, Intake
from kwartier.envelope import Envelope, read_envelope
from kwartier.errors import ContractError
from kwartier.identity import GatewayId
from kwartier.units import EpochS
from kwartier.wire import MAX_PAYLOAD_BYTES, Ack, Address, Block, decode_block


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message of the durable lane, opened.

    Attributes:
        gateway: Whose topic it came on; the broker vouches for it.
        place: Its epoch and number; None when nothing on it could be read.
        block: The readings; None when they cannot be taken in.
        reason: Why they cannot.
        payload: The bytes as they came.
    """

    gateway: GatewayId
    place: Envelope | None
    block: Block | None
    reason: str
    payload: bytes

    def condemned(self, reason: str) -> Parcel:
        """Return the parcel as one that is set aside."""
        return replace(self, block=None, reason=reason)


@dataclass(slots=True)
class Tally:
    """What was done with the parcels of one transaction."""

    taken: int = 0
    readings: int = 0
    again: int = 0
    early: int = 0
    set_aside: int = 0
    skipped: int = 0
    acks: list[tuple[GatewayId, Ack]] = field(default_factory=list)


def opened(topic: str, payload: bytes, properties: Mapping[str, str]) -> Parcel | None:
    """Return what a message holds; None when even its topic names no gateway of ours."""
    try:
        address = _address(topic)
    except ContractError:
        return None
    place = read_envelope(properties)
    try:
        block = decode_block(payload)
        _check(block, address, place)
    except ContractError as error:
        return Parcel(address.gateway, place, None, str(error), payload)
    return Parcel(address.gateway, place or Envelope(block.epoch, block.seq), block, "", payload)


@lru_cache(maxsize=4096)
def _address(topic: str) -> Address:
    """Return the parts of a topic; each gateway's few topics come again and again."""
    return Address.parse(topic)


def _check(block: Block, address: Address, place: Envelope | None) -> None:
    if block.gateway != address.gateway:
        raise ContractError(f"block says gateway {block.gateway!r}, its topic {address.gateway!r}")
    if block.device != address.device:
        raise ContractError(f"block says device {block.device!r}, its topic {address.device!r}")
    if place is not None and (block.epoch, block.seq) != (place.epoch, place.seq):
        raise ContractError(
            f"block says {block.epoch}/{block.seq}, its envelope {place.epoch}/{place.seq}"
        )


class Receiver:
    """Takes parcels into an open transaction and says what to acknowledge once it is durable."""

    def __init__(self, store_gen: str) -> None:
        """Speak for one life of a store."""
        self._store_gen = store_gen

    def take_in(self, intake: Intake, parcels: Sequence[Parcel], received_s: EpochS) -> Tally:
        """Put parcels into the record, in the order in which they came.

        Args:
            intake: The open transaction.
            parcels: What arrived.
            received_s: When [s].

        Returns:
            What was done, with one acknowledgement for each gateway's epoch that was heard of.
        """
        tally = Tally()
        upto: dict[tuple[GatewayId, str], int] = {}
        gaps: set[tuple[GatewayId, str]] = set()
        for parcel in parcels:
            if parcel.place is None:
                self._set_aside_unplaced(intake, parcel, received_s, tally)
                continue
            life = (parcel.gateway, parcel.place.epoch)
            if life not in upto:
                upto[life] = intake.watermark(*life)
            wanted = self.wanted(upto[life], parcel.place)
            if parcel.place.seq < wanted:
                tally.again += 1
            elif parcel.place.seq > wanted:
                tally.early += 1
                gaps.add(life)
            else:
                tally.skipped += wanted - upto[life] - 1
                self._store(intake, parcel, parcel.place, received_s, tally)
                upto[life] = wanted
                gaps.discard(life)
        for life, reached in upto.items():
            intake.advance(*life, reached)
            ack = Ack(self._store_gen, life[1], reached, gap=life in gaps)
            tally.acks.append((life[0], ack))
        return tally

    def wanted(self, upto: int, place: Envelope) -> int:
        """Return the number of the block to take in next.

        It is the one after the watermark, unless its gateway no longer has that one: then no
        waiting can bring it, and the oldest it has comes next.
        """
        return max(upto + 1, place.oldest)

    def _store(
        self, intake: Intake, parcel: Parcel, place: Envelope, received_s: EpochS, tally: Tally
    ) -> None:
        if parcel.block is not None:
            intake.add(parcel.block, parcel.payload, received_s)
            tally.taken += 1
            tally.readings += len(parcel.block.at_s)
        else:
            intake.set_aside(_letter(parcel, place.epoch, place.seq, received_s))
            tally.set_aside += 1

    def _set_aside_unplaced(
        self, intake: Intake, parcel: Parcel, received_s: EpochS, tally: Tally
    ) -> None:
        """Keep what has no place: it cannot be acknowledged, and its sender counts it nowhere."""
        intake.set_aside(_letter(parcel, "", 0, received_s))
        tally.set_aside += 1


def _letter(parcel: Parcel, epoch: str, seq: int, received_s: EpochS) -> DeadLetter:
    return DeadLetter(
        parcel.gateway, epoch, seq, received_s, parcel.reason, parcel.payload[:MAX_PAYLOAD_BYTES]
    )
