// What the ERP does with an outcome (docs/outcomes.md). Being given one twice does no harm: job and run name it.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.env.EVIDENCE_DIR ?? "evidence";

/** Saves the evidence and does what the status asks for; here that is a line. Throws where that cannot be done. */
export function handle(outcome) {
  const again = outcome.replayed ? " (replayed)" : "";
  const name = `${outcome.job ?? "-"} run ${outcome.run ?? "-"} [${outcome.references.join(", ")}]`;
  console.log(`${outcome.status} (${outcome.reason})${again} ${name}: ${whatToDo(outcome)}`);
  for (const warning of outcome.warnings) console.log(`  warning: ${warning}`);
}

function whatToDo(outcome) {
  const file = outcome.evidence ? saved(outcome) : null;
  const said = `${outcome.code ?? "-"} ${outcome.message ?? ""}`.trim();
  switch (outcome.status) {
    case "cancelled":
      return `book the cancellation; evidence: ${file ?? "none"}`;
    case "rejected":
      return outcome.reason === "invalid-request" ? toCorrect(outcome) : `not cancelled: ${said}`;
    case "unresolved":
      return `a person has to look: ${said}`;
    case "revoked":
      return "an operator has ended it";
    default:
      throw new Error(`unknown status ${outcome.status}`);
  }
}

function toCorrect({ submission, errors }) {
  const list = errors.map(({ field, problem }) => `${field}: ${problem}`).join("; ");
  return `correct what was handed in as ${submission}: ${list}`;
}

/** The evidence as the provider sent it, byte for byte, in a file of its own. */
function saved({ evidence, document, run }) {
  const original = Buffer.from(evidence.content, evidence.encoding === "base64" ? "base64" : "utf8");
  if (createHash("sha256").update(original).digest("hex") !== evidence.sha256) {
    throw new Error("the evidence does not have its sha256");
  }
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${document}-run-${run}.xml`);
  writeFileSync(file, original);
  return file;
}
