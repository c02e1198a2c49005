"""The broker port filled by confluent-kafka (librdkafka), and serializers as it calls them.

Its position counts messages handed over and nothing else, so the end of a partition (past the markers of transactions,
which are no messages) is learnt from the events it gives there.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
)
from confluent_kafka import Consumer as Client
from confluent_kafka import Producer as ProducerClient
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ClusterMetadata,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)
from confluent_kafka.serialization import Deserializer, SerializationError, Serializer
from deedbox.kafka.bounded import NoReturn, within
from deedbox.kafka.broker import TopicFacts
from deedbox.kafka.errors import BrokerUnavailable, Fenced
from deedbox.kafka.librdkafka import NO_TOPIC, Connecting, log, permitted, raised, topic_uuid, translated
from deedbox.kafka.messages import Headers, Record, TopicPartition

if TYPE_CHECKING:
    from deedbox.kafka.serializing import Reading, Writing

_SECONDS = 30.0
"""The longest that one question to the broker may take."""
_OFFSETS_SECONDS = 10.0
_METADATA_MS = 3_000
_new: Any = tuple.__new__
_PURGED = frozenset({KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT})


class ConfluentBroker:
    """See `Broker`.

    Args:
        bootstrap: addresses, `host:port` separated by commas.
        config: further settings of librdkafka for every client, such as those of TLS and SASL.
        transaction_seconds: after which the broker aborts what a producer that died had begun.
    """

    def __init__(
        self, bootstrap: str, *, transaction_seconds: float = 30.0, config: Mapping[str, Any] | None = None
    ) -> None:
        self._config = {"bootstrap.servers": bootstrap, "logger": log, **(config or {})}
        self._transaction_ms = int(transaction_seconds * 1000)
        self._connecting = Connecting()

    def consumer(self, topics: Sequence[str], group: str) -> ConfluentConsumer:
        """See `Broker.consumer`."""
        # A topic that is new is found soon after; it is not made by who reads.
        client = self._consumer(group, {"topic.metadata.refresh.interval.ms": _METADATA_MS})
        consumer = ConfluentConsumer(client)
        self._places(topics[0])  # which says why, where the cluster lets nobody in
        with translated():
            for topic in topics:
                client.list_topics(topic, _SECONDS)
            client.subscribe(list(topics), on_assign=consumer.reset, on_revoke=consumer.reset, on_lost=consumer.reset)
        return consumer

    def reader(self, topic: str) -> ConfluentConsumer:
        """See `Broker.reader`."""
        # The group is a name that the client wants; nothing is committed or subscribed to under it.
        client = self._consumer("deedbox-reader", {"allow.auto.create.topics": False})
        with translated():
            client.assign([Place(p.topic, p.partition, OFFSET_BEGINNING) for p in self._places(topic)])
        return ConfluentConsumer(client)

    def producer(self, transactional_id: str | None = None) -> ConfluentProducer:
        """See `Broker.producer`."""
        config = {**self._config, "acks": "all", "enable.idempotence": True, "linger.ms": 5}
        if transactional_id is not None:
            config |= {"transactional.id": transactional_id, "transaction.timeout.ms": self._transaction_ms}
        client = ProducerClient(config)
        if transactional_id is not None:
            with translated():
                client.init_transactions(_SECONDS)
        return ConfluentProducer(client)

    def ends(self, topic: str) -> dict[TopicPartition, int]:
        """See `Broker.ends`."""
        places = self._places(topic)
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        with self._asking():
            asked = self._admin.list_offsets(
                {Place(p.topic, p.partition): latest for p in places},
                isolation_level=IsolationLevel.READ_COMMITTED,
                request_timeout=_SECONDS,
            )
            return {_place(p): answer.result(_SECONDS).offset for p, answer in asked.items()} if places else {}

    def committed(self, group: str, topic: str) -> dict[TopicPartition, int]:
        """See `Broker.committed`."""
        places = [Place(p.topic, p.partition) for p in self._places(topic)]
        if not places:
            return {}
        with self._asking():
            asked = self._admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group, places)], request_timeout=_SECONDS
            )
            try:
                found = asked[group].result(_SECONDS).topic_partitions
            except KafkaException as error:
                if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                    return {}
                raise
        return {_place(p): p.offset for p in found if p.offset >= 0}

    def describe(self, topics: Sequence[str]) -> dict[str, TopicFacts]:
        """See `Broker.describe`."""
        found: dict[str, TopicFacts] = {}
        with self._asking():
            cluster = self._admin.describe_cluster(request_timeout=_SECONDS).result(_SECONDS).cluster_id
            asked = self._admin.describe_topics(TopicCollection(list(topics)), request_timeout=_SECONDS)
            for name, answer in asked.items():
                try:
                    topic = answer.result(_SECONDS)
                except KafkaException as error:
                    if error.args[0].code() in NO_TOPIC:
                        continue
                    raise
                places = [Place(name, p.id) for p in topic.partitions]
                starts = self._offsets(places, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
                ends = self._offsets(places, OffsetSpec.latest())  # type: ignore[no-untyped-call]
                found[name] = TopicFacts(
                    cluster,
                    topic_uuid(topic.topic_id),
                    {n: at.offset for n, at in starts.items()},
                    {n: at.offset for n, at in ends.items()},
                    {n: at.leader_epoch for n, at in ends.items() if at.leader_epoch is not None},
                )
        return found

    def _offsets(self, places: Sequence[Place], spec: Any) -> dict[int, Any]:
        asked = self._admin.list_offsets(
            dict.fromkeys(places, spec), isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=_SECONDS
        )
        return {place.partition: answer.result(_SECONDS) for place, answer in asked.items()}

    def groups(self, topics: Sequence[str]) -> dict[str, set[str]]:
        """See `Broker.groups`."""
        found: dict[str, set[str]] = {topic: set() for topic in topics}
        with self._asking():
            listed = self._admin.list_consumer_groups(request_timeout=_SECONDS).result(_SECONDS).valid
            for name in [group.group_id for group in listed]:
                # One a call: librdkafka takes no more.
                asked = self._admin.list_consumer_group_offsets(
                    [ConsumerGroupTopicPartitions(name)], request_timeout=_SECONDS
                )
                try:
                    places = asked[name].result(_SECONDS).topic_partitions
                except KafkaException as error:
                    log.debug("the offsets of %s are not told: %s", name, error)  # it ended just now, or is no such
                    continue
                for place in places:
                    if place.topic in found and place.offset >= 0:
                        found[place.topic].add(name)
        return found

    def settings(self, topic: str) -> dict[str, str]:
        """See `Broker.settings`."""
        if not self._places(topic):
            return {}
        asked = ConfigResource(ResourceType.TOPIC, topic)
        with self._asking():
            (answer,) = self._admin.describe_configs([asked], request_timeout=_SECONDS).values()
            return {name: str(entry.value) for name, entry in permitted(answer, _SECONDS).items()}

    def create(self, topic: str, settings: Mapping[str, str]) -> None:
        """See `Broker.create`."""
        # The cluster's own counts: librdkafka says so by -1, of partitions in its header alone.
        new = NewTopic(topic, num_partitions=-1, replication_factor=-1, config=dict(settings))
        with self._asking():
            (answer,) = self._admin.create_topics([new], request_timeout=_SECONDS, operation_timeout=_SECONDS).values()
            try:
                permitted(answer, _SECONDS)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise

    def _places(self, topic: str) -> list[TopicPartition]:
        with self._asking():
            known = self._metadata(topic).topics[topic]
            if known.error is not None:
                if known.error.code() in NO_TOPIC:
                    return []
                raise raised(known.error)
        return [TopicPartition(topic, n) for n in sorted(known.partitions)]

    def _metadata(self, topic: str) -> ClusterMetadata:
        return self._connecting.ask(self._admin, lambda seconds: self._admin.list_topics(topic, seconds), _SECONDS)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Questions to the cluster; after one that failed, the next is asked by a new client.

        After a restart of the broker, one that knew a group's coordinator before was seen to wait for ever.
        """
        with self._connecting.explained(lambda: self.__dict__.pop("_admin", None)):
            yield

    @cached_property
    def _admin(self) -> AdminClient:
        # One for all questions: an answer never comes to a client that nobody holds any more.
        config = dict(self._config)
        logger = config.pop("logger")
        config |= {"allow.auto.create.topics": False, "error_cb": self._connecting.note}
        return AdminClient(config, logger=logger)

    def _consumer(self, group: str, options: Mapping[str, Any]) -> Client:
        return Client(
            {
                **self._config,
                "group.id": group,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                **options,
            }
        )


class ConfluentConsumer:
    """See `Consumer`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._positions: dict[tuple[str, int], int] = {}
        self._moved: set[TopicPartition] = set()
        self._generation = 0

    def poll(self, most: int, seconds: float) -> list[Record]:
        """See `Consumer.poll`."""
        records: list[Record] = []
        until = time.monotonic() + seconds
        with translated():
            while not records:
                # `consume` waits until it has all that it was asked for: so wait for one, and take what stands behind.
                first = self._client.poll(max(until - time.monotonic(), 0.0))
                if first is None:
                    break
                self._take([first], records)
                if most > 1:
                    self._moved.clear()
                    behind = self._client.consume(most - 1, 0)
                    if self._moved:  # the first one's partition was taken away: whoever has it now reads it again
                        records = [r for r in records if r.place not in self._moved]
                    self._take(behind, records)
        return records

    def _take(self, messages: Sequence[Message], records: list[Record]) -> None:
        positions = self._positions
        for message in messages:
            topic, partition, offset, error = message.topic(), message.partition(), message.offset(), message.error()
            if error is None:
                headers, timestamp = message.headers() or (), message.timestamp()[1]
                # Not by the constructor: it takes twice as long.
                fields = (topic, partition, offset, message.key(), message.value(), headers, timestamp)
                record: Record = _new(Record, fields)
                records.append(record)
                positions[record.topic, record.partition] = record.offset + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                positions[str(topic), int(partition or 0)] = int(offset or 0)
            elif error.fatal() or not (error.retriable() or error.code() in NO_TOPIC):
                raise raised(error)
            else:
                log.info("%s: %s", topic, error.str())  # the client goes on by itself

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Consumer.commit`."""
        with translated():
            for place in self._client.commit(offsets=_offsets(offsets), asynchronous=False):
                if place.error is not None:
                    raise raised(place.error)

    def group_metadata(self) -> Any:
        """See `Consumer.group_metadata`."""
        with translated():
            return self._client.consumer_group_metadata()

    def seek(self, place: TopicPartition, offset: int) -> None:
        """See `Consumer.seek`."""
        with translated():
            if place in self.assignment():
                self._client.seek(Place(place.topic, place.partition, offset))
                self._positions[place] = offset

    def position(self, place: TopicPartition) -> int:
        """See `Consumer.position`."""
        known = self._positions.get(place)
        if known is not None:
            return known
        with translated():
            here = Place(place.topic, place.partition)
            (kept,) = self._client.committed([here], _SECONDS)
            if kept.error is not None:
                raise raised(kept.error)
            return kept.offset if kept.offset >= 0 else self._client.get_watermark_offsets(here, _SECONDS)[0]

    def assignment(self) -> set[TopicPartition]:
        """See `Consumer.assignment`."""
        with translated():
            return {_place(p) for p in self._client.assignment()}

    def generation(self) -> int:
        """See `Consumer.generation`."""
        return self._generation

    def reset(self, _: Client, places: list[Place]) -> None:
        """Called by the client, inside `poll`, when partitions come or go: where they stood is not known any more."""
        self._generation += 1
        for place in places:
            self._positions.pop(_place(place), None)
            self._moved.add(_place(place))

    def close(self) -> None:
        """See `Consumer.close`."""
        with translated():
            self._client.close()


class ConfluentProducer:
    """See `Producer`."""

    def __init__(self, client: ProducerClient) -> None:
        self._client = client
        self._failed: list[KafkaError] = []
        self._given_up = False
        """A call of it hangs, so nothing may be called any more; who follows it under its id ends its transaction."""

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
        options: dict[str, Any] = {"on_delivery": self._delivered}
        if timestamp is not None and timestamp >= 0:
            options["timestamp"] = timestamp
        if partition is not None:
            options["partition"] = partition
        until = time.monotonic() + _SECONDS
        with translated():
            while True:
                try:
                    self._client.produce(topic, value, key, headers=list(headers), **options)
                except BufferError:
                    # Its queue is full: wait until some of it was sent.
                    if time.monotonic() > until:
                        raise BrokerUnavailable(f"{topic}: nothing was sent for {_SECONDS:.0f} s") from None
                    self._client.poll(0.1)
                else:
                    self._client.poll(0)
                    return

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._failed.append(error)

    def flush(self) -> None:
        """See `Producer.flush`."""
        with translated():
            left = self._client.flush(_SECONDS)
        failed, self._failed = self._failed, []
        if failed:
            # Where one fails in a transaction, the others are given up, and may say so first.
            raise raised(next((error for error in failed if error.code() not in _PURGED), failed[0]))
        if left:
            raise BrokerUnavailable(f"{left} messages were not sent within {_SECONDS:.0f} s")

    def begin(self) -> None:
        """See `Producer.begin`."""
        self._failed.clear()
        with translated():
            self._client.begin_transaction()

    def send_offsets(self, offsets: Mapping[TopicPartition, int], group_metadata: Any) -> None:
        """See `Producer.send_offsets`."""
        with translated():
            # It may wait for ever after a restart of the broker: see `bounded`. Its own time-out is no end of it.
            try:
                send = self._client.send_offsets_to_transaction
                within(_OFFSETS_SECONDS, lambda: send(_offsets(offsets), group_metadata, _OFFSETS_SECONDS))
            except NoReturn as error:
                self._given_up = True
                raise BrokerUnavailable(f"offsets were not taken into the transaction: {error}") from None

    def commit(self) -> None:
        """See `Producer.commit`."""
        self.flush()
        with translated():
            self._client.commit_transaction(_SECONDS)

    def abort(self) -> None:
        """See `Producer.abort`."""
        if self._given_up:
            return
        with translated():
            self._client.abort_transaction(_SECONDS)
        self._failed.clear()

    def close(self) -> None:
        """See `Producer.close`."""
        if self._given_up:
            return
        with suppress(Fenced), translated(), warnings.catch_warnings():
            # One that was replaced says so again, and warns that it could not abort.
            warnings.simplefilter("ignore", RuntimeWarning)
            self._client.purge()
            self._client.close()


class DeedboxSerializer(Serializer):
    """A value serializer for confluent-kafka: `SerializingProducer({"value.serializer": DeedboxSerializer(…)})`.

    Give `produce` a `headers=[]` of the message's own, which it adds to: the client has no other way to add any.
    """

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def __call__(self, obj: Any, ctx: Any = None) -> bytes | None:
        """The bytes; see `Writing.write`.

        Raises:
            SerializationError: the message has no list of headers, and says what it is nowhere else.
        """
        headers: Any = getattr(ctx, "headers", None)
        topic = getattr(ctx, "topic", None) or ""
        if isinstance(headers, list):
            return self._writing.write(topic, headers, obj)
        if isinstance(headers, dict):
            pairs = list(headers.items())
            data = self._writing.write(topic, pairs, obj)
            headers.update(pairs)
            return data
        if obj is not None and self._writing.needs_headers:
            raise SerializationError(
                "the contract and version go into the message's headers: give produce() a list, headers=[]"
            )
        return self._writing.write(topic, None, obj)


class DeedboxDeserializer(Deserializer):
    """A value deserializer for confluent-kafka: `DeserializingConsumer({"value.deserializer": DeedboxDeserializer(…)})`.

    It gives an `Invalid` in the place of a bad message: one that raises loses the message to whoever called `poll`.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def __call__(self, value: bytes | None, ctx: Any = None) -> Any:
        """The value or an `Invalid`; see `Reading.read`."""
        headers = getattr(ctx, "headers", None)
        pairs = list(headers.items()) if isinstance(headers, dict) else headers
        return self._reading.read(getattr(ctx, "topic", None) or "", pairs, value)


def _place(place: Place) -> TopicPartition:
    return TopicPartition(place.topic, place.partition)


def _offsets(offsets: Mapping[TopicPartition, int]) -> list[Place]:
    return [Place(p.topic, p.partition, offset) for p, offset in offsets.items()]
