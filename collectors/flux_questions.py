"""The questions that InfluxDB is asked, in Flux; what varies is a parameter, never a piece of text.

Source:
    docs.influxdata.com, Flux standard library: from, range, filter, window, first, last, unique.
"""

LATEST = """
from(bucket: _bucket)
  |> range(start: _start, stop: _stop)
  |> filter(fn: (r) => r._measurement == "reading" or r._measurement == "unsure")
  |> filter(fn: (r) => r.site == _site)
  |> last()
  |> keep(columns: ["_time", "_value", "_field", "gateway", "device"])
"""
"""The newest value of each series of a site."""
POINTS = """
from(bucket: _bucket)
  |> range(start: _start, stop: _stop)
  |> filter(fn: (r) => r._measurement == "reading" or r._measurement == "unsure")
  |> filter(fn: (r) => r.site == _site and r.gateway == _gateway and r.device == _device)
  |> filter(fn: (r) => r._field == _name)
  |> keep(columns: ["_time", "_value"])
"""
"""One series of one device."""
_REGISTERS = """
registers = from(bucket: _bucket)
  |> range(start: _start, stop: _stop)
  |> filter(fn: (r) => r._measurement == "reading" and r.site == _site)
  |> filter(fn: (r) => contains(value: r._field, set: _names))
"""
_OF_GATEWAYS = """
  |> filter(fn: (r) => contains(value: r.gateway, set: _gateways))
"""
_ENDS = """
  |> window(every: 15m)
union(tables: [registers |> first(), registers |> last()])
  |> keep(columns: ["_time", "_value", "_field", "gateway", "device"])
"""
ENDS_OF_QUARTERS = _REGISTERS + _ENDS
"""The first and the last register of each quarter, of all devices of a site."""
ENDS_OF_QUARTERS_OF_SOME = _REGISTERS + _OF_GATEWAYS + _ENDS
"""The same for the gateways named."""
METERS = """
from(bucket: _bucket)
  |> range(start: _start, stop: _stop)
  |> filter(fn: (r) => r._measurement == "meter" and r._field == "id" and r.site == _site)
  |> unique(column: "_value")
  |> keep(columns: ["_time", "_value", "gateway", "device"])
"""
"""When each device first spoke for each of its meters."""
COUNTS = """
from(bucket: _bucket)
  |> range(start: _start, stop: _stop)
  |> filter(fn: (r) => r._measurement == "reading" or r._measurement == "unsure")
  |> filter(fn: (r) => r.site == _site)
  |> count()
  |> keep(columns: ["_value", "_field", "gateway", "device"])
"""
"""How many points of each series of a site there are, clocks checked and unchecked apart."""
