// One cancellation: on the request stream (way 1) or on the Celery queue (way 2).
import { randomUUID } from "node:crypto";
import { connected, isLost, namespace, requests } from "./connection.js";

const USAGE = `usage: node submit.js stream|queue UUID [REFERENCE]                  a CFDI at Solución Factible
       node submit.js stream|queue CHBPE NPROT XJUST [REFERENCE]    a BP-e at NS`;
const TRIES = 3;

/** Way 1. An `invalid-request` outcome names the key as `submission`. */
function toStream(client, request, submission) {
  const entry = { request: JSON.stringify(request), submission };
  return repeated(() => client.xAdd(requests, "*", entry));
}

/** Way 2, without a Celery client; the key is the task id. */
function toQueue(client, request, submission) {
  const item = JSON.stringify(celeryMessage(request, submission));
  return repeated(() => client.lPush(namespace, item));
}

/** A message of Celery's protocol 2 in the envelope that it has on Redis. */
function celeryMessage(request, id) {
  return {
    body: JSON.stringify([[], { request }, {}]), // args, kwargs, embed: as text
    "content-type": "application/json",
    "content-encoding": "utf-8",
    headers: { lang: "js", task: "anula.submit", id },
    properties: {
      correlation_id: id,
      delivery_mode: 2,
      delivery_tag: randomUUID(),
      delivery_info: { exchange: "", routing_key: namespace },
      priority: 0,
    },
  };
}

/** A command whose reply was lost is sent again: under the same key the second one changes nothing. */
async function repeated(send) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send();
    } catch (problem) {
      if (!isLost(problem) || attempt === TRIES) throw problem;
    }
  }
}

function fromArguments(values) {
  const [first, second, third, fourth] = values;
  if (values.length === 1 || values.length === 2) {
    return { provider: "solucion-factible", uuid: first, reference: second };
  }
  if (values.length === 3 || values.length === 4) {
    return { provider: "ns-bpe", chBPe: first, nProt: second, xJust: third, reference: fourth };
  }
  return null;
}

const [way, ...values] = process.argv.slice(2);
const send = { stream: toStream, queue: toQueue }[way];
const request = fromArguments(values);
// In an ERP: made once for each new cancellation, and kept with the order until it was confirmed. Never the number of the
// document or the order: what a person hands in once more would be taken for a repeat.
const submission = process.env.SUBMISSION || randomUUID();
if (!send || !request) {
  console.error(USAGE);
  process.exit(2);
}
try {
  const client = await connected({ patience: TRIES });
  await send(client, request, submission);
  console.log(submission);
  await client.close();
} catch (problem) {
  console.error(`not confirmed, hand it in again with SUBMISSION=${submission}: ${problem.message || problem.code}`);
  process.exit(1);
}
