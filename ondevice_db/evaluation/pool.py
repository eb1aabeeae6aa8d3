"""Share work among processes, each with a state of its own, and keep the order of the items."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

__all__ = ["share_out"]

_state: Any = None  # one for each worker process, made when it starts

Item = TypeVar("Item")
Result = TypeVar("Result")


def share_out(
    work: Callable[[Any, Item], Result],
    items: Sequence[Item],
    make_state: Callable[..., Any],
    *arguments: Any,
    jobs: int,
) -> list[Result]:
    """Return ``[work(state, item) for item in items]``, computed by several processes.

    Parameters
    ----------
    work : callable
        A function of a module, as it must reach other processes by name.
    items : sequence
    make_state : callable
        Called once in each process with ``arguments``: opens models and databases.
    *arguments
    jobs : int >= 1
        With one, all is done in this process.
    """
    if jobs == 1 or len(items) < 2:
        state = make_state(*arguments)
        return [work(state, item) for item in items]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        min(jobs, len(items)), mp_context=context, initializer=_start, initargs=(make_state, arguments)
    ) as pool:
        return list(pool.map(_call, [work] * len(items), items))


def _start(make_state: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    global _state  # noqa: PLW0603 (a process pool has no other place for it)
    _state = make_state(*arguments)


def _call(work: Callable[[Any, Item], Result], item: Item) -> Result:
    return work(_state, item)
