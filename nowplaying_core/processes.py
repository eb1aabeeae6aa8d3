"""Share work among processes, each with a state of its own, and keep the order of the items."""

import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_given", "every_tenth", "share_out", "share_out_by_key"]

_state: Any = None  # one for each worker process, made when it starts

Item = TypeVar("Item")
Result = TypeVar("Result")


def share_out(
    work: Callable[[Any, Item], Result],
    items: Sequence[Item],
    make_state: Callable[..., Any],
    *arguments: Any,
    jobs: int,
    progress: Callable[[int, int], None] | None = None,
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
    progress : callable, optional
        Called after each item with the number of items that are done, and of all.
    """
    if jobs == 1 or len(items) < 2:
        state = make_state(*arguments)
        return _counted((work(state, item) for item in items), len(items), progress)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        min(jobs, len(items)), mp_context=context, initializer=_start, initargs=(make_state, arguments)
    ) as pool:
        return _counted(pool.map(_call, [work] * len(items), items), len(items), progress)


def as_given(*values: Any) -> tuple[Any, ...]:
    """Return the arguments: a ``make_state`` for `share_out` where nothing has to be opened."""
    return values


def every_tenth(report: Callable[[str], None], what: str) -> Callable[[int, int], None]:
    """Return a ``progress`` for `share_out` that reports about ten times, such as "20 of 200 streams"."""

    def progress(n_done: int, n: int) -> None:
        if n_done % max(1, n // 10) == 0:
            report(f"{n_done} of {n} {what}")

    return progress


def share_out_by_key(
    work: Callable[[Any, Any], NDArray[Any]],
    keys: Sequence[str],
    make_item: Callable[[list[int]], Any],
    make_state: Callable[..., Any],
    *arguments: Any,
    n_together: int,
    jobs: int,
) -> NDArray[Any]:
    """Return one row for each key, computed in chunks of neighbours by key: a process then decodes a recording once.

    Parameters
    ----------
    work : callable
        Returns the rows of an item.
    keys : sequence of str
        Such as the recordings that queries are cut from.
    make_item : callable
        Makes the item of some keys, which it is given by their numbers.
    make_state, *arguments
        As for :func:`share_out`.
    n_together : int >= 1
        Keys an item.
    jobs : int >= 1
    """
    order = sorted(range(len(keys)), key=lambda number: keys[number])
    items = [make_item(order[start : start + n_together]) for start in range(0, len(order), n_together)]
    rows = np.concatenate(share_out(work, items, make_state, *arguments, jobs=jobs))
    unsorted = np.empty_like(rows)
    unsorted[order] = rows
    return unsorted


def _counted(results: Iterable[Result], n_items: int, progress: Callable[[int, int], None] | None) -> list[Result]:
    done = []
    for result in results:
        done.append(result)
        if progress is not None:
            progress(len(done), n_items)
    return done


def _start(make_state: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    global _state  # noqa: PLW0603 (a process pool has no other place for it)
    _state = make_state(*arguments)


def _call(work: Callable[[Any, Item], Result], item: Item) -> Result:
    return work(_state, item)
