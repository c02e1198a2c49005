"""What librdkafka raises and logs, as this room does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from confluent_kafka import KafkaError, KafkaException
from deedbox.client.logs import Repeats
from deedbox.kafka.errors import BrokerUnavailable, Fenced, IllegalTopic, MessageTooLarge

_FENCED = frozenset(
    {
        KafkaError._ASSIGNMENT_LOST,
        KafkaError._FENCED,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.FENCED_MEMBER_EPOCH,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError.UNKNOWN_MEMBER_ID,
    }
)
_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})
NO_TOPIC = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION})

log = logging.getLogger("deedbox.kafka.librdkafka")
log.addFilter(Repeats())


def raised(error: KafkaError) -> BrokerUnavailable | Fenced | IllegalTopic:
    """An error of librdkafka as one of this room."""
    if error.code() == KafkaError.TOPIC_EXCEPTION:
        return IllegalTopic(f"{error.str()}: a topic has letters, digits, '.', '_' and '-', at most 249 of them")
    kind = Fenced if error.code() in _FENCED else MessageTooLarge if error.code() in _LARGE else BrokerUnavailable
    return kind(f"{error.name()}: {error.str()}")


@contextmanager
def translated() -> Iterator[None]:
    """Errors of librdkafka as those of this room."""
    try:
        yield
    except KafkaException as error:
        raise raised(error.args[0]) from error
    except SystemError as error:
        # A fatal error of the client comes so where another callback of it is called before Python sees the first; and
        # some are lost by that. What it was, the next call says.
        if isinstance(error.__cause__, KafkaException):
            raise raised(error.__cause__.args[0]) from error
        if "without setting an exception" not in str(error):
            raise
        raise BrokerUnavailable("the client failed for good, and does not say why") from error
    except (RuntimeError, TimeoutError) as error:  # the client was closed; an answer that did not come
        raise BrokerUnavailable(str(error) or "no answer in time") from error


def topic_uuid(found: Any) -> str:
    """Kafka's topic id in the usual form of a UUID."""
    halves = found.get_most_significant_bits(), found.get_least_significant_bits()
    return str(UUID(bytes=b"".join((half % (1 << 64)).to_bytes(8, "big") for half in halves)))
