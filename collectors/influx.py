"""The door to InfluxDB 2: lines go in, rows of fixed questions come out, errors have our names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self, TypeAlias

import urllib3
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.flux_csv_parser import FluxCsvParserException, FluxQueryException
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService

from kwartier.errors import ContractError, InputError, LinkDownError, SettingsError

MAX_LINES = 5000
"""The most lines in one request; what InfluxData advises for a batch."""
MAX_ANSWER_ROWS = 2_000_000
_NO_CONTENT = 204
_WRONG_SETTINGS = {401: "the token", 403: "the token's rights", 404: "organisation and bucket"}
_PASSING = {408, 425, 429}

Param: TypeAlias = str | int | datetime | list[str]
Value: TypeAlias = str | int | float | bool | datetime | None


class InfluxDownError(LinkDownError):
    """InfluxDB is away, busy or broken; the same again may succeed.

    Attributes:
        retry_after_s: How long it asks to be left alone [s]; 0 when it does not say.
    """

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        """Keep how long to wait."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class InfluxRefusedError(InputError):
    """InfluxDB refused what was sent; sent again it would be refused again.

    Attributes:
        status: Its HTTP status.
        reason: What it said, shortened.
    """

    def __init__(self, status: int, reason: str) -> None:
        """Keep what it said."""
        super().__init__(f"InfluxDB refused what was sent with {status}: {reason}")
        self.status = status
        self.reason = reason


class InfluxSettingsError(SettingsError):
    """The way to InfluxDB is wrong: its address, the token, the organisation or the bucket."""


@dataclass(frozen=True, slots=True)
class InfluxSettings:
    """Where InfluxDB is, and how it knows us.

    Attributes:
        url: Such as ``http://127.0.0.1:8086``.
        token: Its secret; write-only for the collector, read-only for whoever shows.
        org: The organisation's name.
        bucket: The bucket's name.
        timeout_s: For one request, from connecting to the last byte waited for [s].
    """

    url: str
    token: str = field(repr=False)
    org: str
    bucket: str
    timeout_s: float = 10.0

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")) or "@" in self.url:
            # What stands before an @ may be a secret, and the address stands in messages.
            plain = self.url.rpartition("@")[2]
            raise InfluxSettingsError(
                f"InfluxDB's address {plain!r} must start with http:// or https://, "
                "and have no name or password in it"
            )
        for name, value in (("token", self.token), ("org", self.org), ("bucket", self.bucket)):
            if not value:
                raise InfluxSettingsError(f"InfluxDB's {name} is empty: set it")


class Influx:
    """An open door to one bucket; close it, or use it as a context."""

    def __init__(self, settings: InfluxSettings) -> None:
        """Prepare to speak; nothing is sent yet."""
        self._settings = settings
        self._client = InfluxDBClient(
            url=settings.url,
            token=settings.token,
            org=settings.org,
            timeout=round(settings.timeout_s * 1000),
            enable_gzip=True,
        )
        api = self._client.api_client
        self._writing = WriteService(api)  # type: ignore[no-untyped-call] # has no annotations
        self._asking = self._client.query_api()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._settings.bucket

    def write(self, lines: Sequence[str]) -> None:
        """Hand over lines with times in seconds; they are stored when this returns.

        Raises:
            InfluxDownError: Now is not the time; all may be sent again, also what was stored.
            InfluxRefusedError: At least one line is wrong; the others may or may not be stored.
            InfluxSettingsError: The token, organisation or bucket is not known there.
        """
        assert len(lines) <= MAX_LINES, len(lines)
        with self._translated():
            _, status, _ = self._writing.post_write_with_http_info(  # type: ignore[no-untyped-call] # has no annotations
                org=self._settings.org,
                bucket=self._settings.bucket,
                body="\n".join(lines).encode(),
                precision="s",
                content_type="text/plain; charset=utf-8",
            )
        if status != _NO_CONTENT:
            raise InfluxDownError(
                f"{self._where} answered a write with {status} where 204 is due: "
                "is that InfluxDB, or something in front of it?"
            )

    def ask(self, flux: str, params: Mapping[str, Param]) -> Iterator[Mapping[str, Value]]:
        """Yield the rows of a question by column; params travel beside the text, never in it.

        Raises:
            InfluxDownError: It cannot answer now, or the answer was cut off.
            InfluxRefusedError: It refused the question.
            ContractError: It failed at the question, or answered in no known form.
            InfluxSettingsError: The token, organisation or bucket is not known there.
        """
        with self._translated():
            records = self._asking.query_stream(flux, params=dict(params))
            for count, record in enumerate(records):
                if count >= MAX_ANSWER_ROWS:
                    raise ContractError(
                        f"{self._where} answers with more than {MAX_ANSWER_ROWS} rows: "
                        "ask for a shorter time"
                    )
                yield record.values

    def manage(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Mapping[str, object]:
        """Return the JSON object that an address of the v2 API answers with; an empty one for none.

        Raises:
            InfluxDownError: It cannot answer now.
            InfluxRefusedError: It refuses what is asked.
            InfluxSettingsError: The token may not do that, or the thing is not there.
            ContractError: The answer is no JSON object.
        """
        with self._translated():
            answer: object = self._client.api_client.call_api(  # type: ignore[no-untyped-call] # has no annotations
                path,
                method,
                query_params=dict(query or {}),
                header_params={"Accept": "application/json", "Content-Type": "application/json"},
                body=None if body is None else dict(body),
                response_type="object",
                _return_http_data_only=True,
            )
        if answer == "":
            return {}
        if not isinstance(answer, dict):
            raise ContractError(
                f"{self._where} answered {method} {path} with no JSON object: "
                "is that InfluxDB, or something in front of it?"
            )
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._client.close()  # type: ignore[no-untyped-call] # has no annotations

    @property
    def _where(self) -> str:
        return f"InfluxDB at {self._settings.url}"

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Give foreign errors the names of this house."""
        try:
            yield
        except ApiException as error:
            raise self._named(error) from error
        except FluxQueryException as error:
            raise ContractError(f"{self._where} failed a query: {error.message}") from error
        except (FluxCsvParserException, ValueError, IndexError) as error:
            raise ContractError(f"{self._where} answered in no known form: {error}") from error
        except (urllib3.exceptions.HTTPError, InfluxDBError, OSError) as error:
            raise InfluxDownError(f"{self._where} did not answer: {error}") from error

    def _named(
        self, error: ApiException
    ) -> InfluxDownError | InfluxRefusedError | InfluxSettingsError:
        status = int(error.status or 0)
        reason = str(error.message or error.reason)[:300]
        if status in _WRONG_SETTINGS:
            return InfluxSettingsError(
                f"{self._where} answered {status} ({reason}): check {_WRONG_SETTINGS[status]} "
                f"for organisation {self._settings.org!r} and bucket {self._settings.bucket!r}"
            )
        if 400 <= status < 500 and status not in _PASSING:
            return InfluxRefusedError(status, reason)
        said = f"answered {status}" if status else "did not answer"
        return InfluxDownError(f"{self._where} {said}: {reason}", _seconds(error.retry_after))


def _seconds(text: str | None) -> float:
    """Return the seconds of a Retry-After header; a date or rubbish counts as none asked."""
    told = text or ""
    return float(told) if told.isascii() and told.isdigit() and len(told) < 6 else 0.0
