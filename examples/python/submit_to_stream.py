"""Way 1: one cancellation on the request stream, with redis-py alone."""

import json
import sys

import redis
from erp_redis import REQUESTS, connected
from erp_request import from_arguments, submission


def main() -> int:
    """Hand in what the arguments say, and print its key: the outcome of an invalid request names it."""
    text, key = json.dumps(from_arguments(), ensure_ascii=False), submission()
    try:
        connected().xadd(REQUESTS, {"request": text, "submission": key})
    except redis.RedisError as problem:
        # redis-py has repeated it already. Whether an entry is there is unknown; under its key a second does no harm.
        sys.stderr.write(f"not confirmed, hand it in again with SUBMISSION={key}: {problem}\n")
        return 1
    print(key)
    return 0


if __name__ == "__main__":
    sys.exit(main())
