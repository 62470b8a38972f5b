"""A submission's time is its own: what a busy machine took from it does not count."""

import os
import subprocess
import sys
import time

import pytest

from attnbook.grading import processes
from attnbook.grading.pipes import Allowance, Pipes, TookTooLong
from attnbook.grading.processes import Meter, processor_seconds, waiting_seconds
from attnbook.worker import frames

ANSWERS = (
    "import sys, time\nsys.path[:0] = {path!r}\nfrom attnbook.worker import frames\n"
    "while True:\n"
    "    frames.decode(sys.stdin.buffer.read)\n"
    "    {before}\n"
    "    sys.stdout.buffer.write(frames.encode({{'status': 'done'}}))\n"
    "    sys.stdout.buffer.flush()\n"
)


@pytest.fixture
def start():
    running = []

    def begin(before="pass"):
        code = ANSWERS.format(path=[path for path in sys.path if path], before=before)
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


class Told:
    """A meter that says what it was told to say."""

    computed = waited = 0.0

    def __call__(self):
        pass

    def look(self):
        pass


def test_a_reply_that_has_come_is_read_however_late_the_judge_looks(start, monkeypatch):
    """A judge that was kept from running for longer than the answer had looks first at what lies there."""
    pipes = Pipes(start())
    pipes.exchange({"do": "first"}, 120)  # torch is imported now
    written = Pipes._write

    def slowly(self, data, allowance):
        written(self, data, allowance)
        time.sleep(1.5)

    monkeypatch.setattr(Pipes, "_write", slowly)
    assert pipes.exchange({"do": "second"}, 1.0) == {"status": "done"}


def test_what_comes_in_drops_does_not_go_on_for_ever(start):
    process = start(
        "[(sys.stdout.buffer.write(b'\\0'), sys.stdout.buffer.flush(), time.sleep(.01)) for _ in range(9**9)]"
    )
    pipes = Pipes(process)
    pipes.LAST_READ = 0.5
    with pytest.raises(Exception, match="no answer in time|not a frame"):
        pipes.exchange({"do": "first"}, 30)


def test_an_allowance_is_own_time_and_a_multiple_of_it_on_the_clock():
    meter = Told()
    allowance = Allowance(0.2, meter, patience=1000)
    time.sleep(0.3)
    meter.waited = 10.0  # it waited for a processor all the while
    assert not allowance.over()
    assert allowance.starved()
    meter.computed = 0.25
    assert allowance.over()
    assert not allowance.starved(), "what was computed in full needs no second try"
    assert Allowance(0.2, Told(), patience=1000).used() < 0.2
    slept = Allowance(0.05, Told(), patience=1000)
    time.sleep(0.1)
    assert slept.over(), "sleeping is one's own time"
    assert not slept.starved()
    late = Allowance(0.05, meter, patience=2)
    meter.waited += 10
    time.sleep(0.2)
    assert late.over(), "nothing lasts longer than this on the clock"


def test_time_is_read_from_the_kernel():
    busy = "import time\nwhile time.process_time() < 60: pass"
    process = subprocess.Popen([sys.executable, "-c", busy])
    try:
        deadline = time.monotonic() + 60
        while processor_seconds([process.pid]) < 0.3 and time.monotonic() < deadline:
            time.sleep(0.1)
        meter = Meter(process.pid, 1 << 40)
        meter.look()
        assert meter.computed >= 0.3
        assert waiting_seconds([process.pid]) >= 0
        with pytest.raises(MemoryError):
            Meter(process.pid, 1).look()
    finally:
        process.kill()
        process.wait()
    computed = meter.computed
    meter.look()
    assert meter.computed == computed, "what ended does not take its time back"


def test_a_wait_that_goes_on_is_seen_before_the_kernel_counts_it(monkeypatch):
    """Stopped by others for as long as one looks: nothing computed, nothing counted yet, and ready to run."""
    monkeypatch.setattr(processes, "processor_seconds", lambda _: 1.0)
    monkeypatch.setattr(processes, "waiting_seconds", lambda _: 0.0)
    monkeypatch.setattr(processes, "wants_processor", lambda _: True)
    meter = Meter(os.getpid(), 1 << 40)
    allowance = Allowance(0.1, meter, patience=1000)
    time.sleep(0.3)
    assert not allowance.over()
    assert allowance.starved()
    monkeypatch.setattr(processes, "wants_processor", lambda _: False)
    time.sleep(0.3)
    assert allowance.over()


def test_a_reply_may_hold_four_megabytes(start):
    pipes = Pipes(start("import torch; sys.stdout.buffer.write(frames.encode(torch.zeros(1 << 21)))"))
    with pytest.raises(Exception, match="not a frame"):
        pipes.exchange({"do": "x"}, 120)
    assert frames.MAX_REPLY == 4 << 20


def test_a_timeout_says_whether_it_was_starved():
    assert TookTooLong(True).starved
    assert not TookTooLong().starved
