"""Metadata inside a TFLite file: named buffers put in front of a graph whose own bytes stay as they are.

A flatbuffer's offsets point forward only, so a new root table in front of a finished file can take over everything in
it: no vector is unpacked, sharing is kept, and the graph that was evaluated stands at the end of the file, byte for
byte. ``TFLITE_METADATA`` is the format's own (metadata_schema.fbs 1.0.0, file identifier M001), which model viewers and
Android's libraries show; ``nowplaying`` is JSON for programs.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from nowplaying_core.errors import CorruptArtifactError

__all__ = [
    "IDENTITY",
    "STANDARD",
    "TensorText",
    "own_bytes",
    "read_entries",
    "read_identity",
    "standard",
    "with_metadata",
]

STANDARD: Final = "TFLITE_METADATA"
IDENTITY: Final = "nowplaying"
_ALIGNMENT: Final = 16  # of buffers, by the format
# Where the root table of schema.fbs says that its fields lie.
_BUFFERS, _METADATA = 12, 16
_SUBGRAPHS, _SIGNATURES = 8, 18
_KEPT: Final = (
    (6, schema.ModelAddOperatorCodes),
    (_SUBGRAPHS, schema.ModelAddSubgraphs),
    (10, schema.ModelAddDescription),
    (14, schema.ModelAddMetadataBuffer),
    (_SIGNATURES, schema.ModelAddSignatureDefs),
)
_FEATURE: Final = 1  # of the union ContentProperties


@dataclass(frozen=True, slots=True)
class TensorText:
    """Description of a tensor.

    Attributes
    ----------
    name, description : str
    dimensions : tuple of str
        One name for every axis.
    """

    name: str
    description: str
    dimensions: tuple[str, ...]


def with_metadata(
    graph: bytes, entries: Mapping[str, bytes], *, names: tuple[Sequence[str], Sequence[str]] | None = None
) -> bytes:
    """Return a graph with further metadata; what it computes, and its own bytes, stay the same.

    Parameters
    ----------
    graph : bytes
        A ``.tflite`` file without metadata of ours.
    entries : mapping of str to bytes
        Name and content of every buffer.
    names : (sequence of str, sequence of str), optional
        Of all inputs and outputs, in the graph's order: the tensors get these names, and the graph the signature
        ``serving_default``. For a graph without either.
    """
    root = flatbuffers.table.Table(graph, flatbuffers.encode.Get(flatbuffers.packer.uoffset, graph, 0))
    builder = flatbuffers.Builder(len(graph) + 4096)
    builder.Prep(_ALIGNMENT, len(graph))
    # Builders count from the end of the file; the vector's length stands before its first byte.
    start = builder.CreateNumpyVector(np.frombuffer(graph, dtype=np.uint8)) - 4

    def tables(slot: int) -> list[int]:
        field = root.Offset(slot)
        first = root.Vector(field) if field else 0
        count = root.VectorLen(field) if field else 0
        return [start - root.Indirect(first + 4 * number) for number in range(count)]

    buffers, metadata = tables(_BUFFERS), tables(_METADATA)
    for name, content in entries.items():
        builder.Prep(_ALIGNMENT, len(content))
        data = builder.CreateNumpyVector(np.frombuffer(content, dtype=np.uint8))
        schema.BufferStart(builder)
        schema.BufferAddData(builder, data)
        buffers.append(schema.BufferEnd(builder))
        text = builder.CreateString(name)
        schema.MetadataStart(builder)
        schema.MetadataAddName(builder, text)
        schema.MetadataAddBuffer(builder, len(buffers) - 1)
        metadata.append(schema.MetadataEnd(builder))
    vectors = _offsets(builder, buffers), _offsets(builder, metadata)
    kept = {slot: start - root.Indirect(root.Pos + field) for slot, _ in _KEPT if (field := root.Offset(slot))}
    if names is not None:
        kept[_SUBGRAPHS] = _offsets(builder, [_named_subgraph(builder, graph, start, names)])
        kept[_SIGNATURES] = _offsets(builder, [_signature(builder, graph, names)])
    schema.ModelStart(builder)
    schema.ModelAddVersion(builder, schema.Model.GetRootAs(graph, 0).Version())
    for slot, add in _KEPT:
        if slot in kept:
            add(builder, kept[slot])
    schema.ModelAddBuffers(builder, vectors[0])
    schema.ModelAddMetadata(builder, vectors[1])
    builder.Finish(schema.ModelEnd(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _named_subgraph(builder: Any, graph: bytes, start: int, names: tuple[Sequence[str], Sequence[str]]) -> int:
    """Write the subgraph's table again, with named tensors for its inputs and outputs; all else points to the old."""
    old = schema.Model.GetRootAs(graph, 0).Subgraphs(0)
    numbers = [*old.InputsAsNumpy().tolist(), *old.OutputsAsNumpy().tolist()]
    named = dict(zip(numbers, (*names[0], *names[1]), strict=True))

    def place(table: Any, slot: int) -> int:
        return start - int(table.Indirect(table.Pos + table.Offset(slot)))

    tensors = []
    for number in range(old.TensorsLength()):
        tensor = old.Tensors(number)
        table = flatbuffers.table.Table(tensor._tab.Bytes, tensor._tab.Pos)  # noqa: SLF001 (no other way to its place)
        if number not in named:
            tensors.append(start - table.Pos)
            continue
        text = builder.CreateString(named[number])
        schema.TensorStart(builder)
        schema.TensorAddShape(builder, place(table, 4))
        schema.TensorAddType(builder, tensor.Type())
        schema.TensorAddBuffer(builder, tensor.Buffer())
        schema.TensorAddName(builder, text)
        schema.TensorAddQuantization(builder, place(table, 12))
        tensors.append(schema.TensorEnd(builder))
    vector = _offsets(builder, tensors)
    table = flatbuffers.table.Table(old._tab.Bytes, old._tab.Pos)  # noqa: SLF001
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, vector)
    for slot, add in (
        (6, schema.SubGraphAddInputs),
        (8, schema.SubGraphAddOutputs),
        (10, schema.SubGraphAddOperators),
    ):
        add(builder, place(table, slot))
    return int(schema.SubGraphEnd(builder))


def _signature(builder: Any, graph: bytes, names: tuple[Sequence[str], Sequence[str]]) -> int:
    old = schema.Model.GetRootAs(graph, 0).Subgraphs(0)
    vectors = []
    for texts, numbers in zip(names, (old.InputsAsNumpy(), old.OutputsAsNumpy()), strict=True):
        maps = []
        for text, number in zip(texts, numbers.tolist(), strict=True):
            name = builder.CreateString(text)
            schema.TensorMapStart(builder)
            schema.TensorMapAddName(builder, name)
            schema.TensorMapAddTensorIndex(builder, number)
            maps.append(schema.TensorMapEnd(builder))
        vectors.append(_offsets(builder, maps))
    key = builder.CreateString("serving_default")
    schema.SignatureDefStart(builder)
    schema.SignatureDefAddInputs(builder, vectors[0])
    schema.SignatureDefAddOutputs(builder, vectors[1])
    schema.SignatureDefAddSignatureKey(builder, key)
    return int(schema.SignatureDefEnd(builder))


def own_bytes(file: bytes, n_bytes: int) -> bytes:
    """Return the graph of so many bytes inside a file that :func:`with_metadata` wrote."""
    start = len(file) - n_bytes - -n_bytes % _ALIGNMENT
    return file[start : start + n_bytes]


def read_entries(graph: bytes) -> dict[str, bytes]:
    """Return all metadata of a graph, by name."""
    model = schema.Model.GetRootAs(graph, 0)
    entries = [model.Metadata(number) for number in range(model.MetadataLength())]
    return {one.Name().decode(): model.Buffers(one.Buffer()).DataAsNumpy().tobytes() for one in entries}


def read_identity(graph: bytes, *, where: str) -> dict[str, Any]:
    """Return the identity that :func:`with_metadata` put into a graph.

    Raises
    ------
    CorruptArtifactError
        When it says nothing that can be read.
    """
    try:
        identity = json.loads(read_entries(graph)[IDENTITY])
    except (KeyError, ValueError) as error:
        message = f"{where}: expected metadata named {IDENTITY!r} inside the graph ({error!r}); export it again"
        raise CorruptArtifactError(message) from error
    if not isinstance(identity, dict):
        message = f"{where}: expected a JSON object as metadata {IDENTITY!r}, found {type(identity).__name__}"
        raise CorruptArtifactError(message)
    return identity


def standard(
    identity: Mapping[str, Any], *, description: str, inputs: Sequence[TensorText], outputs: Sequence[TensorText]
) -> bytes:
    """Return the content of the format's own metadata buffer.

    Parameters
    ----------
    identity : mapping
        With ``name``, ``version`` and ``licence``.
    description : str
    inputs, outputs : sequence of TensorText
        In the graph's order, one for every tensor.
    """
    builder = flatbuffers.Builder(2048)

    def tensors(texts: Sequence[TensorText]) -> int:
        return _offsets(builder, [_tensor(builder, text) for text in texts])

    subgraph = _table(builder, 7, {2: tensors(inputs), 3: tensors(outputs)})
    fields = {
        0: builder.CreateString(str(identity["name"])),
        1: builder.CreateString(description),
        2: builder.CreateString(str(identity["version"])),
        3: _offsets(builder, [subgraph]),
        4: builder.CreateString("The nowplaying authors"),
        5: builder.CreateString(str(identity["licence"])),
        7: builder.CreateString("1.0.0"),
    }
    builder.Finish(_table(builder, 8, fields), file_identifier=b"M001")
    return bytes(builder.Output())


def _tensor(builder: Any, text: TensorText) -> int:
    properties = _table(builder, 0, {})
    content = _table(builder, 3, {1: properties}, union_type=_FEATURE)
    names = _offsets(builder, [builder.CreateString(name) for name in text.dimensions])
    fields = {0: builder.CreateString(text.name), 1: builder.CreateString(text.description), 2: names, 3: content}
    return _table(builder, 7, fields)


def _table(builder: Any, n_slots: int, fields: Mapping[int, int], *, union_type: int = 0) -> int:
    builder.StartObject(n_slots)
    for slot, offset in fields.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    if union_type:
        builder.PrependUint8Slot(0, union_type, 0)
    return int(builder.EndObject())


def _offsets(builder: Any, places: Sequence[int]) -> int:
    builder.StartVector(4, len(places), 4)
    for place in reversed(places):
        builder.PrependUOffsetTRelative(place)
    return int(builder.EndVector())
