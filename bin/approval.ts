import { join } from "node:path";
import { Fault } from "../base/fault.ts";
import { printed } from "../base/printed.ts";
import { CONTROL_FILE } from "../bridge/data-folder.ts";
import { askBridge } from "./control-client.ts";
import { newSecret } from "./passphrase.ts";
import { readSettings } from "./settings-file.ts";

export interface ApprovalOptions {
  readonly config: string;
  readonly user: string;
  readonly passwordFd?: string;
  readonly code?: string;
  readonly why?: string;
}

interface Shown {
  readonly id: string;
  readonly act: string;
  readonly who: string;
  readonly words: string;
  readonly address: string;
  readonly until: string;
  readonly state: string;
  readonly by: { readonly who: string } | null;
  readonly why: string | null;
}

/** What waits for a second person, and what became of the rest. */
export async function listApprovals(options: ApprovalOptions & { readonly json?: boolean }): Promise<void> {
  const { approvals } = await ask<{ readonly approvals: readonly Shown[] }>("list", options, {});
  if (options.json === true) process.stdout.write(`${JSON.stringify(approvals, undefined, 2)}\n`);
  else if (approvals.length === 0) process.stdout.write("Nothing waits for a second person.\n");
  else
    for (const one of approvals) {
      const answered = one.by === null ? "" : ` by ${one.by.who}`;
      const state = one.state === "waiting" ? `waits until ${one.until}` : `${one.state}${answered}`;
      const why = one.why === null ? "" : `: ${one.why}`;
      process.stdout.write(
        `${printed(`${one.id}  ${state}${why}  ${one.who} (${one.address}) ${one.act}: ${one.words}`)}\n`,
      );
    }
}

/** Answers one request, as the person who logs in with the command. */
export async function answerApproval(
  id: string,
  says: "approved" | "refused",
  options: ApprovalOptions,
): Promise<void> {
  await ask(encodeURIComponent(id), options, { says, why: options.why ?? "" });
  process.stdout.write(`${id} is ${says}.\n`);
}

async function ask<T>(what: string, options: ApprovalOptions, more: object): Promise<T> {
  const { dataFolder } = await readSettings(options.config);
  const password = await newSecret(`Password of ${options.user}: `, options.passwordFd);
  const body = {
    ...more,
    name: options.user,
    password: password.reveal(),
    ...(options.code === undefined ? {} : { code: options.code }),
  };
  const said = await askBridge(join(dataFolder, CONTROL_FILE), "POST", `/api/approvals/${what}`, body);
  if (said === undefined)
    throw new Fault("unavailable", "the bridge is not running: what waits is answered while it runs");
  const answer = (said.answer ?? {}) as T & { readonly needs?: string };
  if (answer.needs === "code")
    throw new Fault("invalid", `${options.user} has a second factor: give its code with --code`);
  return answer;
}
