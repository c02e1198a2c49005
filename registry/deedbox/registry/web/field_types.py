"""Types of fields that bodies about Kafka share, strict and bounded."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# No null character: PostgreSQL keeps it in no text.
PRINTABLE = r"^[^\x00]*$"
Offset = Annotated[int, Field(ge=0, lt=1 << 63)]
Partition = Annotated[int, Field(ge=0, lt=1 << 31)]
Time = Annotated[int, Field(ge=-(1 << 62), lt=1 << 62, description="Milliseconds since 1970, as Kafka counts")]
Count = Annotated[int, Field(ge=0, lt=1 << 53)]
Version = Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE)]
Place = Annotated[str, StringConstraints(max_length=500, pattern=PRINTABLE)]
Label = Annotated[str, StringConstraints(max_length=100, pattern=PRINTABLE)]
Cluster = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
Topic = Annotated[str, StringConstraints(min_length=1, max_length=249, pattern=PRINTABLE)]
TopicId = Annotated[str, StringConstraints(max_length=36, pattern=PRINTABLE)]


class Strict(BaseModel):
    """A part of a body. Nothing is guessed at."""

    model_config = ConfigDict(strict=True, extra="forbid")
