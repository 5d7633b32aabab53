// The connection, and the names in it: from ANULA_REDIS_URL, ANULA_NAMESPACE and ANULA_REDIS_CA_FILE.
import { readFileSync } from "node:fs";
import { createClient, SocketClosedUnexpectedlyError, SocketTimeoutError } from "redis";

const url = process.env.ANULA_REDIS_URL ?? "redis://127.0.0.1:6379/0";
const caFile = process.env.ANULA_REDIS_CA_FILE;

export const namespace = process.env.ANULA_NAMESPACE ?? "anula";
export const requests = `${namespace}:requests`;
export const outcomes = `${namespace}:outcomes`;

/**
 * A connected client for redis:// and rediss://. With `patience` it fails after so many tries in a row;
 * without, it tries on for ever and tells each failure.
 */
export async function connected({ patience = Infinity } = {}) {
  const reconnectStrategy = (tries, cause) => (tries < patience ? Math.min(100 * 2 ** tries, 2000) : cause);
  const socket = { connectTimeout: 5000, socketTimeout: 15000, reconnectStrategy };
  if (url.startsWith("rediss:") && caFile) socket.ca = readFileSync(caFile);
  const client = createClient({ url, socket, pingInterval: 5000, RESP: 2 });
  client.on("error", (problem) => console.error(`Redis: ${problem.message || problem.code}`));
  return client.connect();
}

const PASSING = /^(BUSY|CLUSTERDOWN|LOADING|MASTERDOWN|MISCONF|NOAUTH|NOPERM|NOREPLICAS|OOM|READONLY|TRYAGAIN|UNBLOCKED|WRONGPASS) /;
const MOVED = /^(MASTERDOWN|READONLY|UNBLOCKED) /;

/** Whether a command may have worked and its reply was lost, or Redis is away; else Redis has answered, or there is a bug. */
export function isLost(problem) {
  const isCut = problem instanceof SocketClosedUnexpectedlyError || problem instanceof SocketTimeoutError;
  return isCut || typeof problem.code === "string"; // as ECONNRESET
}

/** Whether Redis refuses for now: a failover, a restart, a full disk, a right that an operator changes. */
export function isRefusedForNow(problem) {
  return PASSING.test(problem.message) || /^ERR max number of clients/.test(problem.message);
}

/** Whether this server is no primary any more: only a new connection finds the one that is. */
export function hasMoved(problem) {
  return MOVED.test(problem.message);
}
