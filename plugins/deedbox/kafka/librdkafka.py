"""What librdkafka raises and logs, as this room does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

from confluent_kafka import KafkaError, KafkaException
from deedbox.client.logs import Repeats
from deedbox.kafka.errors import BrokerUnavailable, Fenced, IllegalTopic, MessageTooLarge, NotPermitted

T = TypeVar("T")

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

_UNREACHED = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._TRANSPORT})
_NO_CONNECTION = frozenset({KafkaError._RESOLVE, KafkaError._TRANSPORT})
REFUSED_SECONDS = 3.0
"""After which a cluster that lets nobody in is not asked any more."""

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


def permitted(answer: Any, seconds: float) -> Any:
    """An answer's value. What the cluster answered that asking again will not change is `NotPermitted`."""
    try:
        return answer.result(seconds)
    except KafkaException as error:
        said = error.args[0]
        # Codes below 0 are the client's own, such as a time-out.
        if said.code() < 0 or said.retriable() or said.code() == KafkaError.TOPIC_ALREADY_EXISTS:
            raise
        raise NotPermitted(f"{said.name()}: {said.str()}") from error


def topic_uuid(found: Any) -> str:
    """Kafka's topic id in the usual form of a UUID."""
    halves = found.get_most_significant_bits(), found.get_least_significant_bits()
    return str(UUID(bytes=b"".join((half % (1 << 64)).to_bytes(8, "big") for half in halves)))


class Connecting:
    """Why a client has no connection, which librdkafka tells beside what a question raises. `note` is its `error_cb`."""

    def __init__(self) -> None:
        self._reason, self._refused = "", False

    def note(self, error: KafkaError) -> None:
        """Keeps the last reason; one side that does not let the other in goes before all others."""
        said = str(error.str())
        # What a broker has against a client's certificate comes as an alert where a connection is read.
        refused = error.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL) or "tls alert" in said
        if refused or (error.code() in _NO_CONNECTION and not self._refused):
            self._reason, self._refused = said, refused

    def ask(self, client: Any, question: Callable[[float], T], seconds: float) -> T:
        """What a question gives that is told how long it may take. A cluster that lets nobody in is given up soon.

        Raises:
            KafkaException, TimeoutError: as the question.
        """
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            try:
                return question(min(REFUSED_SECONDS, max(left, 0.1)))
            except (KafkaException, TimeoutError) as error:
                client.poll(0)
                if self._refused or left <= REFUSED_SECONDS or not _unreached(error):
                    raise

    @contextmanager
    def explained(self, client: Callable[[], Any]) -> Iterator[None]:
        """As `translated`, with the reason where there was no connection.

        Args:
            client: gives the one that asks, or None; called when it failed.
        """
        try:
            with translated():
                yield
        except BrokerUnavailable as error:
            asking = client()
            if asking is not None:
                asking.poll(0)
            reason, refused = self._reason, self._refused
            self._reason, self._refused = "", False
            # An idle connection that ended long ago explains nothing else.
            if reason and (refused or _unreached(error.__cause__)):
                raise BrokerUnavailable(f"{error}. {reason}") from error
            raise


def _unreached(error: BaseException | None) -> bool:
    return isinstance(error, TimeoutError) or (isinstance(error, KafkaException) and error.args[0].code() in _UNREACHED)
