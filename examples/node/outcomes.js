// Outcomes, read in three ways: on from an id, as a consumer of a group, from the channel.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { connected, hasMoved, isLost, isRefusedForNow, outcomes } from "./connection.js";
import { handle } from "./outcome.js";

const USAGE = `usage: node outcomes.js since FILE                       on from the id in FILE, which is kept up to date
       node outcomes.js group GROUP CONSUMER [SECONDS]   share with the group; take over what another left for so long (60)
       node outcomes.js channel                          what is published from now on`;
const COUNT = 10; // so many outcomes must be handled well within the time after which another consumer takes them over
const BLOCK_MS = 2000;
const FIRST = "0-0";

/** Every outcome after the id in the file. One that cannot be handled ends the program, which then begins with it again. */
async function readSince(client, file) {
  let position = existsSync(file) ? readFileSync(file, "utf8").trim() : FIRST;
  for (;;) {
    const read = () => client.xRead({ key: outcomes, id: position }, { COUNT, BLOCK: BLOCK_MS });
    const reply = await whileAway(client, read);
    for (const { id, message } of reply?.[0]?.messages ?? []) {
      handle(JSON.parse(message.outcome));
      writeFileSync(`${file}.new`, id);
      renameSync(`${file}.new`, file); // in one step: a crash leaves the old id or the new one
      position = id;
    }
  }
}

/** What falls to this consumer: what it was given before, then what others have left, and what is new. */
async function readInGroup(client, group, consumer, takeOverAfterMs) {
  await whileAway(client, () => foundGroup(client, group));
  const give = (id, ...block) => whileInGroup(client, group, () => given(client, group, consumer, id, block));
  for (let position = FIRST; position; ) {
    const page = await give(position);
    await handlePage(client, group, page);
    position = page.at(-1)?.id;
  }
  for (let takeOverAt = 0; ; ) {
    if (Date.now() >= takeOverAt) {
      await takeOver(client, group, consumer, takeOverAfterMs);
      takeOverAt = Date.now() + takeOverAfterMs / 2;
    }
    await handlePage(client, group, await give(">", "BLOCK", String(BLOCK_MS)));
  }
}

/**
 * The next entries after an id, or new ones (>). By its name: the client's own xReadGroup fails where an entry that is
 * still pending has been removed by age.
 */
async function given(client, group, consumer, id, block) {
  const options = ["COUNT", String(COUNT), ...block, "STREAMS", outcomes, id];
  const reply = await client.sendCommand(["XREADGROUP", "GROUP", group, consumer, ...options]);
  return (reply?.[0]?.[1] ?? []).map(([entryId, fields]) => ({ id: entryId, message: fields && paired(fields) }));
}

function paired(list) {
  const pairs = {};
  for (let at = 0; at < list.length; at += 2) pairs[list[at]] = list[at + 1];
  return pairs;
}

/** A new group begins with the oldest outcome that is kept (0), so that none is left out; $ would begin now. */
async function foundGroup(client, group) {
  try {
    await client.xGroupCreate(outcomes, group, "0", { MKSTREAM: true });
  } catch (problem) {
    if (!/^(BUSYGROUP|NOPERM)/.test(problem.message)) throw problem; // it is there, or an operator makes the groups
  }
}

/** Handles what was given to any consumer longer ago than that, and was not acknowledged. */
async function takeOver(client, group, consumer, idleMs) {
  let cursor = FIRST;
  do {
    const claim = () => client.xAutoClaim(outcomes, group, consumer, idleMs, cursor, { COUNT });
    const { nextId, messages } = await whileInGroup(client, group, claim);
    await handlePage(client, group, messages);
    cursor = nextId;
  } while (cursor !== FIRST);
}

/** Each is acknowledged once it was handled; one that could not be stays, and comes again by `takeOver`. */
async function handlePage(client, group, entries) {
  for (const entry of entries.filter(Boolean)) {
    const { id, message } = entry;
    try {
      if (message) handle(JSON.parse(message.outcome));
      else console.error(`${id} was removed by age before it was handled: see \`anula jobs\``);
    } catch (problem) {
      console.error(`${id} is not handled yet: ${problem.message}`);
      continue;
    }
    await whileInGroup(client, group, () => client.xAck(outcomes, group, id));
  }
}

/** What is published while this program listens, for a screen: what comes in between two connections is missed. */
function readChannel(client) {
  return client.subscribe(outcomes, (text) => handle(JSON.parse(text)));
}

/**
 * A reply. A command that a broken connection took away, or that Redis refuses for now, is sent again after pauses of
 * 0.5 to 5 seconds. Each of those here may be repeated.
 */
async function whileAway(client, send) {
  let told = "";
  for (let pauseMs = 500; ; pauseMs = Math.min(2 * pauseMs, 5000)) {
    try {
      return await send();
    } catch (problem) {
      if (!isLost(problem) && !isRefusedForNow(problem)) throw problem;
      if (isRefusedForNow(problem) && problem.message !== told) {
        console.error(`Redis does not serve, trying again: ${problem.message}`);
        told = problem.message;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (hasMoved(problem) && client.isOpen) {
        client.destroy();
        await connectAgain(client);
      }
    }
  }
}

/** As `whileAway`, but a group that is gone is made anew. */
async function whileInGroup(client, group, send) {
  for (;;) {
    try {
      return await whileAway(client, send);
    } catch (problem) {
      if (!problem.message.startsWith("NOGROUP")) throw problem;
      console.error(`the group ${group} is gone, making it anew: ${problem.message}`);
      await whileAway(client, () => foundGroup(client, group));
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

async function connectAgain(client) {
  try {
    await client.connect();
  } catch (problem) {
    console.error(`Redis: ${problem.message || problem.code}`); // the next command fails, and this is tried again
  }
}

const [way, ...values] = process.argv.slice(2);
const [first, second, seconds = "60"] = values;
const read = {
  since: first && ((client) => readSince(client, first)),
  group: second && ((client) => readInGroup(client, first, second, Number(seconds) * 1000)),
  channel: readChannel,
}[way];
if (!read) {
  console.error(USAGE);
  process.exit(2);
}
try {
  await read(await connected());
} catch (problem) {
  console.error(`stopped: ${problem.message}`);
  process.exit(1);
}
