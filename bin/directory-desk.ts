import { join } from "node:path";
import { Accounts } from "../auth/accounts.ts";
import { nobodyElse } from "../auth/approval.ts";
import { Leases } from "../auth/leases.ts";
import type { Manager } from "../auth/managed.ts";
import { systemClock } from "../base/clock.ts";
import type { Finding } from "../base/finding.ts";
import { silentLog } from "../base/log.ts";
import type { Secret } from "../base/secret.ts";
import { openAudit } from "../bridge/audit-log.ts";
import { CONTROL_FILE } from "../bridge/data-folder.ts";
import { DirectoryDesk, type PlainExplanation, type PlainPreview, type PlainSync } from "../bridge/directory/desk.ts";
import { Directories } from "../bridge/directory/directories.ts";
import { DirectoryStore } from "../bridge/directory/store.ts";
import { askBridge } from "./control-client.ts";
import { type DataOptions, withDatabase } from "./data.ts";
import { operator } from "./operator.ts";
import { readSettings } from "./settings-file.ts";

/** What the commands ask of directories, whether the bridge is running or not. */
export interface Desk {
  test(name: string): Promise<readonly Finding[]>;
  preview(name: string): Promise<PlainPreview>;
  sync(name: string, o: { readonly full?: boolean; readonly confirm?: string }): Promise<PlainSync>;
  explain(name: string, user: string): Promise<PlainExplanation>;
  history(name: string): Promise<readonly PlainSync[]>;
  setPassword(name: string, password: Secret): Promise<void>;
}

/** Asks the running bridge, which knows what runs; where none is running, does it on the data folder. */
export async function withDesk(options: DataOptions, work: (desk: Desk) => Promise<void>): Promise<void> {
  const { dataFolder } = await readSettings(options.config);
  const socket = join(dataFolder, CONTROL_FILE);
  if ((await askBridge(socket, "GET", "/api/directory")) !== undefined) await work(remoteDesk(socket));
  else await withLocalDesk(options, work);
}

async function withLocalDesk(options: DataOptions, work: (desk: Desk) => Promise<void>): Promise<void> {
  await withDatabase(options, async ({ settings, folder, database: { query } }) => {
    const shared = { clock: systemClock, log: silentLog() };
    const audit = openAudit(folder, settings, shared);
    try {
      const accounts = await Accounts.open({ ...shared, query, sealer: folder.sealer });
      const store = new DirectoryStore(query, folder.sealer);
      const leases = new Leases({ accounts, audit, clock: systemClock });
      const parts = { ...shared, accounts, audit, leases, store };
      const directories = await Directories.open(settings.directory, parts, { scheduled: false });
      const desk = new DirectoryDesk({ ...parts, directories, approvals: nobodyElse(settings.approval.acts) });
      const by: Manager = { who: operator(), interface: "cli" };
      await work({
        test: (name) => desk.test(name),
        preview: (name) => desk.preview(name),
        sync: (name, o) => desk.sync(name, by, o),
        explain: (name, user) => desk.explain(name, user),
        history: (name) => desk.history(name),
        setPassword: (name, password) => desk.setPassword(name, password, by),
      });
    } finally {
      audit.close();
    }
  });
}

function remoteDesk(socket: string): Desk {
  const ask = async <T>(method: "GET" | "POST" | "PUT", name: string, what: string, body?: object): Promise<T> =>
    (await askBridge(socket, method, `/api/directory/${encodeURIComponent(name)}/${what}`, body))?.answer as T;
  return {
    test: async (name) => (await ask<{ findings: readonly Finding[] }>("POST", name, "test")).findings,
    preview: (name) => ask("POST", name, "preview"),
    sync: (name, o) => ask("POST", name, "sync", o),
    explain: (name, user) => ask("GET", name, `explain?user=${encodeURIComponent(user)}`),
    history: async (name) => (await ask<{ history: readonly PlainSync[] }>("GET", name, "history")).history,
    setPassword: (name, password) => ask("PUT", name, "password", { password: password.reveal() }),
  };
}
