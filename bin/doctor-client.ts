import { join } from "node:path";
import { REFUSALS_FILE, readRefusals } from "../bridge/client-side/refusal.ts";
import { type ExplainedRefusal, explained, ofClient } from "../bridge/client-side/refusal-words.ts";
import { readSettings } from "./settings-file.ts";

/** Says what external systems were refused lately, and why. The process ends with 1 where there was anything. */
export async function examineClients(
  client: string | undefined,
  options: { readonly config: string; readonly json?: boolean },
): Promise<void> {
  const { dataFolder } = await readSettings(options.config);
  const all = await readRefusals(join(dataFolder, REFUSALS_FILE));
  const found = ofClient(all.toReversed(), client).map(explained);
  if (options.json === true) process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
  else if (found.length === 0) process.stdout.write(nothing(client, all.length));
  else for (const one of found) process.stdout.write(linesOf(one));
  if (found.length > 0) process.exitCode = 1;
}

function nothing(client: string | undefined, others: number): string {
  if (client === undefined || others === 0)
    return "No external system was refused anything. One that gets no answer at all has another address or port, or a firewall in between.\n";
  return `${client} was refused nothing; others were: leave the name out to see them.\n`;
}

function linesOf({ first, last, count, address, account, interface: door, says, next }: ExplainedRefusal): string {
  const often = count === 1 ? "" : `, ${count} times since ${secondsOf(first)}`;
  const who = account === undefined ? "" : `  ${account}`;
  return `${secondsOf(last)}  ${address}${who}  ${door}${often}\n    ${says}\n    > ${next}\n`;
}

/** `2026-11-26T01:02:03Z`. */
function secondsOf(instant: string): string {
  return `${instant.slice(0, 19)}Z`;
}
