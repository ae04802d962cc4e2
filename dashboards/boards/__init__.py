"""The boards: for residents, for who looks after the battery, for the board, for operators."""

from __future__ import annotations

from dashboards.boards.board import BOARD
from dashboards.boards.operations import OPERATIONS
from dashboards.boards.street import STREET
from dashboards.boards.wijk import WIJK

BOARDS = (WIJK, STREET, BOARD, OPERATIONS)
