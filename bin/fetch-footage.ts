import { join } from "node:path";
import { Fault } from "../base/fault.ts";
import { printed } from "../base/printed.ts";
import { CONTROL_FILE } from "../bridge/data-folder.ts";
import { askBridge } from "./control-client.ts";
import { readSettings } from "./settings-file.ts";

export interface FetchOptions {
  readonly config: string;
  readonly from: string;
  readonly to: string;
  readonly stream: string;
  /** False: do not wait for the end of it. */
  readonly wait: boolean;
}

interface Shown {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly state: string;
  readonly why: string | null;
}

/** Has the running bridge fetch what is missing of a stretch from the camera's own recording, and says what became of it. */
export async function fetchFootage(camera: string, { config, from, to, stream, wait }: FetchOptions): Promise<void> {
  const { dataFolder } = await readSettings(config);
  const path = `/api/cameras/${encodeURIComponent(camera)}/fetches`;
  const ask = async <T>(method: "GET" | "POST", body?: object): Promise<T> => {
    const asked = await askBridge(join(dataFolder, CONTROL_FILE), method, path, body);
    if (asked !== undefined) return asked.answer as T;
    const tell = "the bridge is not running, and it is what fetches: start it first";
    throw new Fault("unavailable", tell, { tell });
  };
  let fetch = await ask<Shown>("POST", { from, to, stream });
  if (!wait) {
    process.stdout.write(`${camera}: ${fetch.from} to ${fetch.to} is being fetched.\n`);
    return;
  }
  // Each answer waits a little for the end of it.
  while (fetch.state === "running") {
    const { fetches } = await ask<{ readonly fetches: readonly Shown[] }>("GET");
    const found = fetches.find(({ id }) => id === fetch.id);
    if (found === undefined) throw new Fault("internal", "the bridge has forgotten the fetch");
    fetch = found;
  }
  const why = fetch.why === null ? "" : `: ${fetch.why}`;
  process.stdout.write(`${printed(`${camera}: ${fetch.from} to ${fetch.to}: ${fetch.state}${why}`)}\n`);
  if (fetch.state !== "fetched") process.exitCode = 1;
}
