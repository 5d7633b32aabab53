"""The floor: bare threads, one list of documents in memory, one XADD a job. Nothing is safe here; nothing can be faster."""

import sys
import threading

import job


def main() -> None:
    """Do all jobs."""
    left = iter([job.document(number) for number in range(int(sys.argv[1]))])
    lock, client = threading.Lock(), job.connect()

    def run() -> None:
        while True:
            with lock:
                key = next(left, None)
            if key is None:
                return
            job.publish(client, key, job.outcome(key, job.call(key)))

    threads = [threading.Thread(target=run) for _ in range(job.SLOTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
