"""Way 4: one cancellation with Anula's own client. It checks the request, and returns when the ledger has the job."""

import sys

from erp_request import from_arguments, submission

from config.problem import ConfigurationProblem
from worker.client import Client, InvalidRequest, LedgerFull, Unavailable


def main() -> int:
    """Hand in what the arguments say, and print the job with its run."""
    try:
        with Client() as client:
            submitted = client.submit(from_arguments(), submission=submission())
    except InvalidRequest as invalid:
        for error in invalid.errors:
            sys.stderr.write(f"{error.field}: {error.problem}\n")
        return 2
    except Unavailable as away:
        sys.stderr.write(f"{away}\nit may be in: hand it in again with SUBMISSION={away.submission}\n")
        return 1
    except (LedgerFull, ConfigurationProblem) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    print(f"{submitted.job} run {submitted.run}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
