"""Way 1: one cancellation on the request stream, with redis-py alone."""

import json
import sys

import redis
from erp_redis import REQUESTS, connected
from erp_request import from_arguments


def main() -> int:
    """Hand in what the arguments say, and print the entry's id: what refuses an invalid request names it."""
    text = json.dumps(from_arguments(), ensure_ascii=False)
    try:
        print(connected().xadd(REQUESTS, {"request": text}))
    except redis.RedisError as problem:
        # redis-py has repeated it already. Whether an entry is there is unknown; a second one joins the first.
        sys.stderr.write(f"not confirmed, hand it in again: {problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
