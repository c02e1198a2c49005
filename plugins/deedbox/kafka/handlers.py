"""Who handles a message: a function a major version, and hooks that bring an old major up to a newer one."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from inspect import isawaitable, iscoroutinefunction
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from deedbox.kafka.lookup import Version
    from deedbox.kafka.messages import Record

Builder: TypeAlias = Callable[[Any], Any]


class Message(NamedTuple):
    """What a handler gets: the value, what it was written as, and the record (its `value` is the raw bytes).

    `session` is that of a store that shares its transaction (`sql_store`): what the handler writes by it is kept together
    with the note that the message was handled, or not at all.
    """

    value: Any
    version: Version
    record: Record
    session: Any = None


Handler: TypeAlias = Callable[[Message], object]

_MOST_REASON = 1_000
"""Characters of what a builder says: a dead letter's headers must not make it too large."""


_MAJOR = re.compile(r"[1-9][0-9]*|0\.(?:0|[1-9][0-9]*)")
_ASYNC = "a handler is a plain function, over when it returns; run what is to be awaited in it, as by asyncio.run()"


class Unhandled(Exception):
    """A message that no handler here can be given. `rule` is that of its dead letter."""

    rule = "unhandled-version"


class NotBuilt(Unhandled):
    """A hook, or the constructor of the value, does not take what the schema lets pass: it never will."""

    rule = "not-built"


class Handlers:
    """The handlers of one consumer.

    ```python
    handlers = Handlers()


    @handlers.handles("order-placed", "2", build=OrderPlaced.model_validate)
    def placed(message: Message) -> None: ...


    @handlers.upgrades("order-placed", "1", "2")
    def with_currency(value: dict[str, Any]) -> dict[str, Any]:
        return value | {"currency": "EUR"}
    ```
    """

    def __init__(self) -> None:
        self._handlers: dict[tuple[str, str], tuple[Handler, Builder | None]] = {}
        self._upgrades: dict[tuple[str, str], tuple[str, Builder]] = {}
        # Found once for each version: there are as many as the look-up keeps.
        self._ways: dict[Version, tuple[Handler, Builder | None, tuple[Builder, ...]]] = {}

    def handles(self, name: str, major: str, *, build: Builder | None = None) -> Callable[[Handler], Handler]:
        """Registers a handler for a message name and a major version (`0.4` for what is below 1.0.0).

        `build` makes the value from decoded JSON, such as a DTO's constructor.

        Raises:
            ValueError: there is one already, or no message can ever be of that name or major. TypeError: it is a coroutine
                function, which nobody here would await.
        """
        _check(name, major)

        def register(handler: Handler) -> Handler:
            if iscoroutinefunction(handler):
                raise TypeError(f"{name} {major}: {_ASYNC}")
            if (name, major) in self._handlers:
                raise ValueError(f"{name} {major} has a handler already")
            self._handlers[name, major] = (handler, build)
            self._ways.clear()
            return handler

        return register

    def upgrades(self, name: str, old: str, new: str) -> Callable[[Builder], Builder]:
        """Registers a hook that turns decoded JSON of one major into that of a newer one.

        Raises:
            ValueError: there is one from there already, it leads to none that is newer, or as `handles`.
        """
        _check(name, old, new)

        def register(hook: Builder) -> Builder:
            if _order(new) <= _order(old):
                raise ValueError(f"{name}: an upgrade leads to a newer major, not from {old} to {new}")
            if (name, old) in self._upgrades:
                raise ValueError(f"{name} {old} has an upgrade already, to {self._upgrades[name, old][0]}")
            self._upgrades[name, old] = (new, hook)
            self._ways.clear()
            return hook

        return register

    def handle(self, record: Record, version: Version, value: Any, session: Any = None) -> None:
        """Hands a message to the handler of its major, else, by hooks, to that of the next newer one that has one.

        Raises:
            Unhandled: there is none. NotBuilt: a hook or the builder raised. And whatever the handler raises.
            TypeError: the handler gave something to await, so it has not handled the message.
        """
        way = self._ways.get(version)
        if way is None:
            way = self._ways[version] = self._way(version)
        handler, build, hooks = way
        if build is not None or hooks:
            try:
                for hook in hooks:
                    value = hook(value)
                if build is not None:
                    value = build(value)
            except Exception as error:
                said = f"{version} cannot be built here: {type(error).__name__}: {error}"
                raise NotBuilt(said[:_MOST_REASON]) from error
        answer = handler(Message(value, version, record, session))
        if answer is not None and isawaitable(answer):
            raise TypeError(f"{version}: {_ASYNC}")

    def _way(self, version: Version) -> tuple[Handler, Builder | None, tuple[Builder, ...]]:
        """The handler of a version, and the hooks that lead to it."""
        name, major = version.contract.partition("/")[2], major_of(version.version)
        hooks: list[Builder] = []
        while (name, major) not in self._handlers:
            step = self._upgrades.get((name, major))
            if step is None:
                raise Unhandled(f"nobody here handles {name} {major}")
            major, hook = step
            hooks.append(hook)
        return (*self._handlers[name, major], tuple(hooks))


def _check(name: str, *majors: str) -> None:
    """What no version has would only show when its messages come, and are put aside."""
    if not name or "/" in name:
        raise ValueError(
            f"{name!r} is no message name: it is the contract's without its service, such as 'order-placed'"
        )
    for major in majors:
        if not isinstance(major, str) or not _MAJOR.fullmatch(major):
            raise ValueError(f"{name}: {major!r} is no major: '2' stands for 2.x.y, and '0.4' for 0.4.x")


@lru_cache(maxsize=4_096)
def major_of(version: str) -> str:
    """The line of versions that one handler takes: `2` for 2.3.1, and `0.4` for 0.4.2, where a break bumps the minor."""
    from deedbox.checker.versions import line_of

    major, minor = line_of(version)
    return str(major) if major else f"0.{minor}"


def _order(major: str) -> tuple[int, ...]:
    return tuple(int(part) for part in major.split("."))
