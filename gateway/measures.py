"""What a gateway tells whoever watches over its box: queues and links, never what was measured."""

from __future__ import annotations

from pathlib import Path

from gateway.agent import Agent
from gateway.keep.outbox import Outbox
from kwartier.metrics_text import Measure, disk_measures


def gateway_measures(agent: Agent, outbox: Outbox, folder: Path, *, linked: bool) -> list[Measure]:
    """Return what a gateway tells now.

    Args:
        agent: What keeps and sends.
        outbox: Where blocks wait.
        folder: On which disk.
        linked: Whether there is a link with the broker.
    """
    return [
        Measure("kwartier_link_up", "1 while there is a link with the broker.", linked),
        Measure(
            "kwartier_outbox_waiting_blocks",
            "Blocks that nobody acknowledged yet.",
            agent.unacknowledged,
        ),
        Measure("kwartier_outbox_bytes", "What all kept blocks take [bytes].", outbox.held_bytes),
        Measure(
            "kwartier_outbox_on_disk", "1 while blocks survive a power cut.", outbox.is_on_disk
        ),
        Measure(
            "kwartier_outbox_thinned_blocks_total",
            "Blocks that lost detail because the outbox was full.",
            outbox.thinned_blocks,
        ),
        Measure(
            "kwartier_outbox_damaged_files_total",
            "Files set aside because they could not be trusted.",
            outbox.damaged_files,
        ),
        Measure("kwartier_readings_taken_total", "Readings taken in.", agent.taken),
        Measure("kwartier_namesake", "1 while another box goes by this name.", agent.has_namesake),
        *disk_measures(folder),
    ]
