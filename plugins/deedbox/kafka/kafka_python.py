"""The broker port filled by kafka-python 3. Records are consumed raw: what they are is judged after `poll`.

A kafka-python deserializer that raises makes the next `poll` spin for ever, and seeking past the record does not help
(seen with 3.0.12): so none is used here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from deedbox.kafka import tls
from deedbox.kafka.bounded import NoReturn, within
from deedbox.kafka.broker import TopicFacts
from deedbox.kafka.errors import BrokerUnavailable, Fenced, IllegalTopic, MessageTooLarge, NotPermitted
from deedbox.kafka.messages import Headers, Record, TopicPartition

from kafka import IsolationLevel, KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetSpec
from kafka import TopicPartition as Place
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import (
    AuthorizationError,
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    InvalidProducerEpochError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    NoError,
    ProducerFencedError,
    RebalanceInProgressError,
    RecordListTooLargeError,
    TopicAlreadyExistsError,
    UnknownMemberIdError,
    for_code,
)
from kafka.serializer import Deserializer, Serializer
from kafka.structs import OffsetAndMetadata

if TYPE_CHECKING:
    from collections.abc import MutableSequence

    from deedbox.kafka.serializing import Reading, Writing

_METADATA_MS = 3_000
_NO_REASON = ". It does not say why: the address, the protocol (TLS or not), or user and password, may be wrong"
_LEAVE_MS = 5_000
_TRANSACTION_SECONDS = 20.0
_FENCED = (
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    InvalidProducerEpochError,
    ProducerFencedError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Errors of kafka-python as those of this room."""
    try:
        yield
    except _FENCED as error:
        raise Fenced(f"{type(error).__name__}: {error}") from error
    except InvalidTopicError as error:
        raise IllegalTopic(f"{error}: ASCII letters, digits, '.', '_' and '-', at most 249 of them") from error
    except KafkaError as error:
        # Most of its errors begin with their own name.
        name = type(error).__name__
        hint = _NO_REASON * ("to bootstrap" in str(error))
        # In a transaction what is sent behind the one that failed says so, with that error as its argument.
        large = any(
            isinstance(part, MessageSizeTooLargeError | RecordListTooLargeError) for part in (error, *error.args)
        )
        # Once it was replaced, what else is asked of it only quotes that.
        replaced = ProducerFencedError.__name__ in str(error)
        kind = Fenced if replaced else MessageTooLarge if large else BrokerUnavailable
        raise kind(f"{name}: {str(error).removeprefix(f'{name}: ')}{hint}") from error
    except ValueError as error:
        if "Topic name" not in str(error):
            raise
        raise IllegalTopic(str(error)) from error


class KafkaPythonBroker:
    """See `Broker`.

    Args:
        bootstrap: addresses, `host:port` separated by commas.
        config: further settings of kafka-python for every client, such as those of TLS and SASL.
        transaction_seconds: after which the broker aborts what a producer that died had begun.
    """

    def __init__(self, bootstrap: str, *, transaction_seconds: float = 30.0, **config: Any) -> None:
        self._config = {"bootstrap_servers": bootstrap.split(","), **config}
        self._handshaken = False
        self._transaction_ms = int(transaction_seconds * 1000)

    def consumer(self, topics: Sequence[str], group: str) -> KafkaPythonConsumer:
        """See `Broker.consumer`."""
        with translated():
            # A topic that is new, or whose partitions were not known yet when the group joined, is found soon after.
            client = self._consumer(
                group_id=group,
                auto_offset_reset="earliest",
                metadata_max_age_ms=_METADATA_MS,
                allow_auto_create_topics=False,
            )
            # Who reads makes no topic, since that would say how many partitions it has. The client has an option for it,
            # and does not hand it on to where topics are asked for (3.0.12).
            with suppress(AttributeError):
                client._cluster.config["allow_auto_create_topics"] = False
            for topic in topics:
                client.partitions_for_topic(topic)
            client.subscribe(list(topics))
        return KafkaPythonConsumer(client)

    def reader(self, topic: str) -> KafkaPythonConsumer:
        """See `Broker.reader`."""
        with translated():
            # The earliest also where retention overtakes the reader: the client's own default would skip to the end.
            client = self._consumer(allow_auto_create_topics=False, auto_offset_reset="earliest")
            places = [Place(topic, n) for n in client.partitions_for_topic(topic) or ()]
            client.assign(places)
            if places:
                client.seek_to_beginning(*places)
        return KafkaPythonConsumer(client)

    def producer(self, transactional_id: str | None = None) -> KafkaPythonProducer:
        """See `Broker.producer`."""
        with translated():
            config = self._settings()
            if transactional_id is not None:
                config |= {"transactional_id": transactional_id, "transaction_timeout_ms": self._transaction_ms}
            client = KafkaProducer(acks="all", linger_ms=5, **config)
            if transactional_id is not None:
                client.init_transactions()
        return KafkaPythonProducer(client)

    def ends(self, topic: str) -> dict[TopicPartition, int]:
        """See `Broker.ends`."""
        with translated():
            client = self._consumer(allow_auto_create_topics=False)
            try:
                places = [Place(topic, n) for n in client.partitions_for_topic(topic) or ()]
                ends = client.end_offsets(places) if places else {}
            finally:
                client.close()
        return {_place(p): offset for p, offset in ends.items()}

    def committed(self, group: str, topic: str) -> dict[TopicPartition, int]:
        """See `Broker.committed`."""
        with translated():
            client = self._consumer(group_id=group, allow_auto_create_topics=False)
            try:
                places = [Place(topic, n) for n in client.partitions_for_topic(topic) or ()]
                found = {place: client.committed(place) for place in places}
            finally:
                client.close()
        return {_place(p): offset for p, offset in found.items() if offset is not None}

    def describe(self, topics: Sequence[str]) -> dict[str, TopicFacts]:
        """See `Broker.describe`."""
        found: dict[str, TopicFacts] = {}
        with translated(), self._admin() as admin:
            cluster = str(admin.describe_cluster()["cluster_id"])
            for topic in admin.describe_topics(list(topics)):
                if topic["error_code"]:
                    continue
                epochs = {p["partition_index"]: p["leader_epoch"] for p in topic["partitions"]}
                name = topic["name"]
                places = [Place(name, n) for n in epochs]
                starts = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
                ends = admin.list_partition_offsets(
                    dict.fromkeys(places, OffsetSpec.LATEST), isolation_level=IsolationLevel.READ_COMMITTED
                )
                found[name] = TopicFacts(
                    cluster,
                    str(topic["topic_id"]),
                    {p.partition: at.offset for p, at in starts.items()},
                    {p.partition: at.offset for p, at in ends.items()},
                    {n: epoch for n, epoch in epochs.items() if epoch >= 0},
                )
        return found

    def groups(self, topics: Sequence[str]) -> dict[str, set[str]]:
        """See `Broker.groups`."""
        found: dict[str, set[str]] = {topic: set() for topic in topics}
        with translated(), self._admin() as admin:
            # Share groups keep no offsets that this call tells.
            names = [g["group_id"] for g in admin.list_groups() if g.get("group_type") in (None, "classic", "consumer")]
            for name, offsets in admin.list_group_offsets(names).items() if names else ():
                for place, at in offsets.items():
                    if place.topic in found and at.offset >= 0:
                        found[place.topic].add(name)
        return found

    def settings(self, topic: str) -> dict[str, str]:
        """See `Broker.settings`."""
        with translated(), self._admin() as admin:
            (found,) = admin.describe_topics([topic])
            if found["error_code"]:
                return {}
            try:
                asked = [ConfigResource(ConfigResourceType.TOPIC, topic)]
                told = admin.describe_configs(asked, config_filter="all")
            except AuthorizationError as error:
                raise NotPermitted(f"{type(error).__name__}: its settings are not told") from error
        return {name: str(entry["value"]) for name, entry in told["topic"][topic].items()}

    def create(self, topic: str, settings: Mapping[str, str]) -> None:
        """See `Broker.create`."""
        with translated(), self._admin() as admin:
            # Its own error would hold the whole request and the whole answer.
            (said,) = admin.create_topics({topic: {"configs": dict(settings)}}, raise_errors=False)["topics"]
            if said["error_code"] not in (NoError.errno, TopicAlreadyExistsError.errno):
                kind = for_code(said["error_code"])
                if kind.retriable:
                    raise kind(said["error_message"])
                raise NotPermitted(f"{kind.__name__}: {said['error_message']}")
            admin.wait_for_topics([topic])

    @contextmanager
    def _admin(self) -> Iterator[KafkaAdminClient]:
        admin = KafkaAdminClient(**self._settings())
        try:
            yield admin
        finally:
            admin.close()

    def _consumer(self, **options: Any) -> KafkaConsumer:
        config = {**self._settings(), **options}
        return KafkaConsumer(enable_auto_commit=False, isolation_level="read_committed", **config)

    def _settings(self) -> dict[str, Any]:
        """Those of every client; the first time, the cluster is shaken hands with.

        Raises:
            BrokerUnavailable: it refuses a TLS connection, or this client does.
        """
        if not self._handshaken:
            self._config = tls.handshaken(self._config)
            self._handshaken = True
        return dict(self._config)


class KafkaPythonConsumer:
    """See `Consumer`."""

    def __init__(self, client: KafkaConsumer) -> None:
        self._client = client

    def poll(self, most: int, seconds: float) -> list[Record]:
        """See `Consumer.poll`."""
        self._take_up_join()
        with translated():
            batches = self._client.poll(timeout_ms=int(seconds * 1000), max_records=most)
        return [
            Record(r.topic, r.partition, r.offset, r.key, r.value, r.headers, r.timestamp)
            for batch in batches.values()
            for r in batch
        ]

    def _take_up_join(self) -> None:
        """Has the client finish a join that outlasted a poll.

        Where a topic's partitions changed, the group's leader joins anew. Once it has dealt out the partitions, the
        client (3.0.12) no longer holds that join for needed, and a poll that ends before the join does leaves it lying:
        the member is given nothing, sends no heartbeat, and spins in each poll from then on.
        """
        coordinator = getattr(self._client, "_coordinator", None)
        if coordinator is not None and coordinator.rebalance_in_progress() and not coordinator.need_rejoin():
            coordinator.request_rejoin()

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Consumer.commit`."""
        with translated():
            self._client.commit(_offsets(offsets))

    def generation(self) -> int:
        """See `Consumer.generation`."""
        return int(self._client.group_metadata().generation_id)

    def group_metadata(self) -> Any:
        """See `Consumer.group_metadata`."""
        return self._client.group_metadata()

    def seek(self, place: TopicPartition, offset: int) -> None:
        """See `Consumer.seek`."""
        with translated():
            if Place(place.topic, place.partition) in self._client.assignment():
                self._client.seek(Place(place.topic, place.partition), offset)

    def position(self, place: TopicPartition) -> int:
        """See `Consumer.position`."""
        with translated():
            return int(self._client.position(Place(place.topic, place.partition)))

    def assignment(self) -> set[TopicPartition]:
        """See `Consumer.assignment`."""
        return {_place(p) for p in self._client.assignment()}

    def close(self) -> None:
        """See `Consumer.close`."""
        with translated():
            # A member that is joining is only heard once every other one has joined, which may be minutes away.
            self._client.close(timeout_ms=_LEAVE_MS)


class KafkaPythonProducer:
    """See `Producer`."""

    def __init__(self, client: KafkaProducer) -> None:
        self._client = client
        self._sent: list[Any] = []
        self._given_up = False
        """A call of it hangs; who follows it under its id ends its transaction."""

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        timestamp: int | None = None,
        partition: int | None = None,
    ) -> None:
        """See `Producer.send`."""
        with translated():
            self._sent.append(
                self._client.send(
                    topic,
                    value=value,
                    # This client sends nothing that has neither, though the protocol does; a guard must not stop at it.
                    key=b"" if key is None and value is None else key,
                    headers=[(name, data if data is not None else b"") for name, data in headers],
                    partition=partition,
                    timestamp_ms=timestamp if timestamp is not None and timestamp >= 0 else None,
                )
            )

    def flush(self) -> None:
        """See `Producer.flush`."""
        sent, self._sent = self._sent, []
        with translated():
            self._client.flush()
            for future in sent:
                future.get(timeout=60)

    def begin(self) -> None:
        """See `Producer.begin`."""
        self._sent.clear()
        with translated():
            self._client.begin_transaction()

    def send_offsets(self, offsets: Mapping[TopicPartition, int], group_metadata: Any) -> None:
        """See `Producer.send_offsets`."""
        self._call(lambda: self._client.send_offsets_to_transaction(_offsets(offsets), group_metadata))

    def commit(self) -> None:
        """See `Producer.commit`."""
        self.flush()
        self._call(self._client.commit_transaction)

    def abort(self) -> None:
        """See `Producer.abort`."""
        self._sent.clear()
        if not self._given_up:
            self._call(self._client.abort_transaction)

    def _call(self, call: Callable[[], object]) -> None:
        """Ends a call that the client itself sets no end to: after a restart of the broker it may never return."""
        with translated():
            try:
                within(_TRANSACTION_SECONDS, call)
            except NoReturn as error:
                self._given_up = True
                raise BrokerUnavailable(f"the transaction did not go on: {error}") from None

    def close(self) -> None:
        """See `Producer.close`."""
        with translated(), suppress(NoReturn):
            within(5.0, lambda: self._client.close(timeout=0 if self._given_up else 2))


class DeedboxSerializer(Serializer):
    """A value serializer for kafka-python 3: `KafkaProducer(value_serializer=DeedboxSerializer(…))`."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def serialize(self, topic: str, headers: MutableSequence[tuple[str, bytes]] | None, data: Any) -> bytes | None:
        """The bytes; see `Writing.write`."""
        return self._writing.write(topic, headers, data)

    def close(self) -> None:
        """Nothing to close."""


class DeedboxDeserializer(Deserializer):
    """A value deserializer for kafka-python 3: `KafkaConsumer(value_deserializer=DeedboxDeserializer(…))`."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def deserialize(self, topic: str, headers: Any, data: bytes | None) -> Any:
        """The value or an `Invalid`; see `Reading.read`."""
        return self._reading.read(topic, headers, data)

    def close(self) -> None:
        """Nothing to close."""


def _place(place: Any) -> TopicPartition:
    return TopicPartition(place.topic, place.partition)


def _offsets(offsets: Mapping[TopicPartition, int]) -> dict[Any, Any]:
    return {Place(p.topic, p.partition): OffsetAndMetadata(offset, "", -1) for p, offset in offsets.items()}
