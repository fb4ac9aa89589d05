"""What goes over the wire: the message of Prometheus remote write 1.0, and samples in it at next to no cost.

Google's library writes each series once, with a sample of no meaning. In protobuf's encoding a double is eight bytes
as they are, and a moment in milliseconds takes six bytes from 1971 to 2109; both stand last. So what stands before them
is kept, and each push only puts this moment's sample behind it: a tenth of the work of building messages anew.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cramjam import snappy
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from monitor.model import Labels

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST, LATEST = 2**35, 2**42 - 1
"""Milliseconds since 1970: the moments that take six bytes."""
STALE = (0x7FF0000000000002).to_bytes(8, "little")
"""The value that ends a series at once: one of the many ways to write that something is no number."""

_MESSAGES = {
    "Label": (("name", "TYPE_STRING"), ("value", "TYPE_STRING")),
    "Sample": (("value", "TYPE_DOUBLE"), ("timestamp", "TYPE_INT64")),
    "TimeSeries": (("labels", "Label"), ("samples", "Sample")),
    "WriteRequest": (("timeseries", "TimeSeries"),),
}
_double = struct.Struct("<d").pack


def _describe() -> FileDescriptorProto:
    """Return the messages of the specification; a field whose type is a message is repeated."""
    file = FileDescriptorProto(name="remote.proto", package="prometheus", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields, 1):
            entry = message.field.add(name=field, number=number)
            if kind in _MESSAGES:
                entry.type_name = f".prometheus.{kind}"
                entry.type, entry.label = FieldDescriptorProto.TYPE_MESSAGE, FieldDescriptorProto.LABEL_REPEATED
            else:
                entry.type, entry.label = FieldDescriptorProto.Type.Value(kind), FieldDescriptorProto.LABEL_OPTIONAL
    return file


_pool = DescriptorPool()
_pool.Add(_describe())
WriteRequest: type[Message] = GetMessageClass(_pool.FindMessageTypeByName("prometheus.WriteRequest"))


def _one(labels: Labels, timestamp: int) -> bytes:
    """Return a request that holds one series with one sample."""
    pairs = [{"name": name, "value": value} for name, value in labels]
    series = {"labels": pairs, "samples": [{"value": 1.0, "timestamp": timestamp}]}
    return WriteRequest(timeseries=[series]).SerializePartialToString()


_MOMENT = len(_one((), LATEST)) - len(_one((), 0))
_SAMPLE = len(_double(1.0)) + _MOMENT


def head(labels: Labels) -> bytes:
    """Return what stands before value and moment of a sample of the series with these labels, sorted by name."""
    return _one(labels, LATEST)[:-_SAMPLE]


def value(number: float) -> bytes:
    """Return what stands behind a `head`."""
    return _double(number)


def tail(at: int) -> bytes:
    """Return what stands behind a value: the moment, in milliseconds since 1970."""
    return _one((), min(max(at, EARLIEST), LATEST))[-_MOMENT:]


def milliseconds(moment: datetime) -> int:
    """Return `moment` as remote write counts."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def compress(request: bytes) -> bytes:
    """Return `request` as snappy's block format has it."""
    return bytes(snappy.compress_raw(request))
