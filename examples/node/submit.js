// One cancellation: on the request stream (way 1) or on the Celery queue (way 2).
import { randomUUID } from "node:crypto";
import { connected, isLost, namespace, requests } from "./connection.js";

const USAGE = `usage: node submit.js stream|queue UUID [REFERENCE]                  a CFDI at Solución Factible
       node submit.js stream|queue CHBPE NPROT XJUST [REFERENCE]    a BP-e at NS`;
const TRIES = 3;

/** Way 1. The entry's id; an `invalid-request` outcome names it as `submission`. */
function toStream(client, request) {
  const text = JSON.stringify(request);
  return repeated(() => client.xAdd(requests, "*", { request: text }));
}

/** Way 2, without a Celery client. The task id: one message that is sent again is admitted once. */
async function toQueue(client, request) {
  const item = JSON.stringify(celeryMessage(request));
  await repeated(() => client.lPush(namespace, item));
  return JSON.parse(item).headers.id;
}

/** A message of Celery's protocol 2 in the envelope that it has on Redis. */
function celeryMessage(request) {
  const id = randomUUID();
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

/** A command whose reply was lost is sent again: on the stream the second entry joins the first one's job. */
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
if (!send || !request) {
  console.error(USAGE);
  process.exit(2);
}
try {
  const client = await connected({ patience: TRIES });
  console.log(await send(client, request));
  await client.close();
} catch (problem) {
  console.error(`not confirmed, hand it in again: ${problem.message || problem.code}`);
  process.exit(1);
}
