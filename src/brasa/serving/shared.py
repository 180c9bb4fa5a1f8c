"""What the workers of a server share: counters, and how often its list of models has changed.

Plain numbers in memory that the parent maps before it forks. Each worker writes only its own
part, so that nothing is locked; whoever is asked for ``/metrics`` adds the parts up.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STATUSES = (200, 204, 304, 400, 401, 404, 405, 408, 409, 413, 415, 424, 429, 499, 500, 501, 507)
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_OTHER = len(STATUSES)  # a status that is not listed
_N_STATUS = len(STATUSES) + 1
_N_BUCKETS = len(SECONDS) + 1
_PER_ROUTE = _N_STATUS + _N_BUCKETS + 2  # and the sum of seconds, and of items
_STATUS_PLACE = {status: i for i, status in enumerate(STATUSES)}


class Shared:
    """Counters of all workers.

    Parameters
    ----------
    routes : sequence of str
        What requests are counted by.
    n_workers : int
    """

    def __init__(self, routes: Sequence[str], n_workers: int) -> None:
        self.routes = tuple(routes)
        self._n_workers = n_workers
        self._per_worker = 1 + len(self.routes) * _PER_ROUTE  # and the requests at work
        self._memory = mmap.mmap(-1, 8 * (1 + n_workers * self._per_worker))
        self._numbers: Any = memoryview(self._memory).cast("d")

    @property
    def generation(self) -> float:
        """How often models were added, replaced or removed by a request."""
        value: float = self._numbers[0]
        return value

    def next_generation(self) -> None:
        """Tell all workers that the list of models is another one."""
        self._numbers[0] += 1  # by one worker at a time: under the list's lock

    def set_active(self, worker: int, n_requests: int) -> None:
        """Note how many requests a worker has at work."""
        self._numbers[1 + worker * self._per_worker] = n_requests

    def count(self, worker: int, route: int, status: int, seconds: float, items: int) -> None:
        """Count a request that was answered."""
        start = 2 + worker * self._per_worker + route * _PER_ROUTE
        numbers = self._numbers
        numbers[start + _STATUS_PLACE.get(status, _OTHER)] += 1
        numbers[start + _N_STATUS + bisect_left(SECONDS, seconds)] += 1
        numbers[start + _N_STATUS + _N_BUCKETS] += seconds
        if items:
            numbers[start + _N_STATUS + _N_BUCKETS + 1] += items

    def collect(self) -> Iterator[Any]:
        """Metrics of all workers together, as prometheus_client wants them of a collector."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        requests = CounterMetricFamily(
            "brasa_requests", "Requests answered.", labels=["route", "status"]
        )
        seconds = HistogramMetricFamily(
            "brasa_request_seconds", "From a request's head to its answer.", labels=["route"]
        )
        items = CounterMetricFamily("brasa_items", "Words and texts answered.", labels=["route"])
        for i, route in enumerate(self.routes):
            totals = [self._total(1 + i * _PER_ROUTE + j) for j in range(_PER_ROUTE)]
            if not any(totals):
                continue
            for status, n in zip((*STATUSES, "other"), totals, strict=False):
                if n:
                    requests.add_metric([route, str(status)], n)
            buckets, below = [], 0.0
            for bound, n in zip((*SECONDS, "+Inf"), totals[_N_STATUS:], strict=False):
                below += n
                buckets.append((str(bound), below))
            seconds.add_metric([route], buckets, totals[-2])
            items.add_metric([route], totals[-1])
        active = GaugeMetricFamily("brasa_requests_at_work", "Requests at work.", self._total(0))
        workers = GaugeMetricFamily("brasa_workers", "Processes.", self._n_workers)
        return iter([requests, seconds, items, active, workers])

    def _total(self, place: int) -> float:
        first = 1 + place
        places = (first + worker * self._per_worker for worker in range(self._n_workers))
        return float(sum(self._numbers[place] for place in places))
