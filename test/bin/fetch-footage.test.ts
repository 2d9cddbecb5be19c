import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { Closable } from "../../base/lifecycle.ts";
import { unixMillis } from "../../base/units.ts";
import { CONTROL_FILE } from "../../bridge/data-folder.ts";
import type { EdgeFetch } from "../../bridge/edge-fetches.ts";
import { listenControl } from "../../web/control.ts";
import { noDirectories } from "../support/directory.ts";
import { scratchFolder } from "../support/recorder-samples.ts";
import { type Ended, viaduct, writeConfig } from "../support/viaduct.ts";
import { startWebSite, type WebSite } from "../support/web-site.ts";

const FROM = "2026-11-24T13:00:00.000Z";
const TO = "2026-11-24T14:00:00.000Z";

describe("viaduct camera fetch", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let config = "";
  let site: WebSite;
  let control: Closable | undefined;
  const asked: EdgeFetch[] = [];
  /** How the fetch ends, once it is looked at. */
  let end: Pick<EdgeFetch, "state" | "why"> = { state: "fetched", why: undefined };
  const run = (...more: readonly string[]): Promise<Ended> =>
    viaduct(["camera", "fetch", "gate", "--config", config, "--from", FROM, "--to", TO, ...more]);

  before(async () => {
    ({ folder, remove } = await scratchFolder());
    config = await writeConfig(folder);
    await mkdir(join(folder, "data"));
    site = await startWebSite();
    const fetches = {
      list: () => asked.map((one) => ({ ...one, ...end, endedAt: one.begunAt })),
      async ask(
        camera: string,
        span: Pick<EdgeFetch, "stream" | "from" | "to">,
        by: EdgeFetch["by"],
      ): Promise<EdgeFetch> {
        const begun = { camera, ...span, by, begunAt: unixMillis(0), endedAt: undefined, why: undefined };
        const fetch = { ...begun, id: String(asked.length), state: "running" } as const;
        asked.push(fetch);
        return fetch;
      },
    };
    const options = { ...site.options, desk: noDirectories(), fetches };
    control = await listenControl(join(folder, "data", CONTROL_FILE), options);
  });
  after(async () => {
    await control?.close();
    await site?.close();
    await remove?.();
  });

  it("has the running bridge fetch, waits, and says what became of it", async () => {
    const { code, out, err } = await run();
    expect({ code, out, err }).to.deep.equal({ code: 0, out: `gate: ${FROM} to ${TO}: fetched\n`, err: "" });
    expect(asked[0]).to.deep.include({ camera: "gate", stream: "main", from: Date.parse(FROM), to: Date.parse(TO) });
    expect(asked[0]?.by.interface).to.equal("cli");
    end = { state: "nothing", why: "the camera has no recordings of its own" };
    const nothing = await run();
    expect([nothing.code, nothing.out]).to.deep.equal([
      1,
      `gate: ${FROM} to ${TO}: nothing: the camera has no recordings of its own\n`,
    ]);
    await run("--stream", "sub");
    expect(asked.at(-1)?.stream).to.equal("sub");
    expect((await run("--no-wait")).out).to.equal(`gate: ${FROM} to ${TO} is being fetched.\n`);
  });

  it("says that the bridge does not run", async () => {
    await control?.close();
    control = undefined;
    const { code, err } = await run();
    expect([code, err]).to.deep.equal([
      1,
      "viaduct: the bridge is not running, and it is what fetches: start it first\n",
    ]);
  });
});
