"""Tasks in the background: order, delays, failures, resets."""

import threading

import pytest

from local_cloud.events.background import BackgroundWork, cloud_age
from tests.waiting import LIMIT_SECONDS


def test_one_thread_runs_tasks_in_the_order_of_submission() -> None:
    """A log writer with one thread keeps the order."""
    work = BackgroundWork("test", threads=1)
    seen: list[int] = []
    for number in range(50):
        work.submit(lambda number=number: seen.append(number))  # type: ignore[misc]
    assert work.wait_until_idle(LIMIT_SECONDS)
    assert seen == list(range(50))
    work.close()


def test_a_delayed_task_does_not_hold_up_others() -> None:
    """What is due later lets what is due now pass, and is still waited for."""
    work = BackgroundWork("test", threads=1)
    seen: list[str] = []
    work.submit(lambda: seen.append("late"), delay_seconds=0.5)
    work.submit(lambda: seen.append("now"))
    assert work.wait_until_idle(LIMIT_SECONDS)
    assert seen == ["now", "late"]
    work.close()


def test_a_failing_task_ends_neither_its_thread_nor_the_waiting(caplog: pytest.LogCaptureFixture) -> None:
    """An exception is logged with its trace and the next task runs."""
    work = BackgroundWork("test", threads=1)
    done = threading.Event()
    work.submit(lambda: 1 / 0)  # type: ignore[arg-type]
    work.submit(done.set)
    assert work.wait_until_idle(LIMIT_SECONDS)
    assert done.is_set()
    assert "ZeroDivisionError" in caplog.text
    work.close()


def test_after_a_reset_a_task_from_before_starts_nothing_more() -> None:
    """A task that runs during the reset may finish, but its sequel is dropped; new work goes on."""
    work = BackgroundWork("test", threads=2)
    started, go_on, sequel, fresh = (threading.Event() for _ in range(4))

    def task() -> None:
        started.set()
        go_on.wait(LIMIT_SECONDS)
        work.submit(sequel.set)

    work.submit(task)
    assert started.wait(LIMIT_SECONDS)
    threading.Timer(0.5, go_on.set).start()
    work.reset()
    work.submit(fresh.set)
    assert work.wait_until_idle(LIMIT_SECONDS)
    assert fresh.is_set()
    assert not sequel.is_set()
    work.close()


def test_waiting_is_bounded() -> None:
    """wait_until_idle says no when its time is over."""
    work = BackgroundWork("test", threads=1)
    work.submit(lambda: None, delay_seconds=60)
    assert not work.wait_until_idle(0.01)
    work.close()
    assert work.wait_until_idle(0)


def test_a_clock_that_does_not_wait_makes_nothing_old() -> None:
    """Scale 0 means that no cloud time passes."""
    assert cloud_age(0.0, scale=0) == 0.0
