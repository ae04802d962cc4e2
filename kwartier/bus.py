"""How messages travel: one seam, a broker behind it or nothing but this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias


def _nothing() -> None:
    """Acknowledge nothing: the message was not kept for us."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it arrived.

    Attributes:
        topic: Where it was sent to.
        payload: What it carries.
        retained: Whether it was kept by the broker from before we asked.
        acknowledge: Tells the broker that it need not come again; call it once its effect is safe.
        properties: What its sender wrote on the outside, such as a block's place.
    """

    topic: str
    payload: bytes
    retained: bool = False
    acknowledge: Callable[[], None] = _nothing
    properties: Mapping[str, str] = field(default_factory=dict)


Receive: TypeAlias = Callable[[Message], None]
"""Takes a message; called on the bus's own thread, so it must be quick and must not raise."""
LinkChanged: TypeAlias = Callable[[bool], None]
"""Is told that the link came up (True) or went down (False)."""


class Bus(Protocol):
    """Carries messages at least once, in order per sender, while the link is up."""

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        expiry_s: int | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """Hand over one message; that it left here proves nothing about the far side.

        Raises:
            LinkDownError: There is no link now; whoever must not lose it keeps it.
        """

    def subscribe(self, topic_filter: str, receive: Receive, *, by_hand: bool = False) -> None:
        """Have every message of a filter handed to ``receive``: ``+`` one level, ``#`` the rest.

        Args:
            topic_filter: Which topics.
            receive: Who takes them.
            by_hand: The taker calls ``acknowledge`` itself, once the effect is safe; otherwise
                the message counts as taken when ``receive`` returns.
        """

    def watch_link(self, changed: LinkChanged) -> None:
        """Have ``changed`` told when the link comes and goes; at once with the present state."""

    def close(self) -> None:
        """Leave in order; nothing is delivered after this returns."""


class InProcessBus:
    """A bus without a broker: hands each message to its takers before ``publish`` returns.

    Retained messages are kept, as a broker keeps them; expiry is left to whoever reads.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._takers: list[tuple[str, Receive]] = []
        self._retained: dict[str, tuple[bytes, Mapping[str, str]]] = {}

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,  # noqa: ARG002 - every delivery in a process is exactly once
        retain: bool = False,
        expiry_s: int | None = None,  # noqa: ARG002 - nothing waits here, so nothing goes stale
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """Hand one message to everyone who asked for its topic."""
        outside = dict(properties or {})
        with self._lock:
            if retain and payload:
                self._retained[topic] = payload, outside
            elif retain:
                self._retained.pop(topic, None)
            takers = [receive for wanted, receive in self._takers if matches(wanted, topic)]
        for receive in takers:
            receive(Message(topic, payload, properties=outside))

    def subscribe(
        self,
        topic_filter: str,
        receive: Receive,
        *,
        by_hand: bool = False,  # noqa: ARG002 - nothing comes twice in a process
    ) -> None:
        """Have every message of a filter handed to ``receive``, retained ones first."""
        with self._lock:
            self._takers.append((topic_filter, receive))
            kept = [
                (topic, payload, outside)
                for topic, (payload, outside) in self._retained.items()
                if matches(topic_filter, topic)
            ]
        for topic, payload, outside in kept:
            receive(Message(topic, payload, retained=True, properties=outside))

    def watch_link(self, changed: LinkChanged) -> None:
        """Say once that the link is up: inside a process it never goes down."""
        changed(True)

    def close(self) -> None:
        """Forget everyone who asked."""
        with self._lock:
            self._takers.clear()


def matches(topic_filter: str, topic: str) -> bool:
    """Return whether a topic is meant by a filter with ``+`` and ``#``.

    Source:
        MQTT 5.0, section 4.7.
    """
    wanted, given = topic_filter.split("/"), topic.split("/")
    for place, word in enumerate(wanted):
        if word == "#":
            return True
        if place >= len(given) or word not in {"+", given[place]}:
            return False
    return len(wanted) == len(given)
