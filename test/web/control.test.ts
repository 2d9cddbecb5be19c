import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { askBridge } from "../../bin/control-client.ts";
import { listenControl } from "../../web/control.ts";
import { NO_DIRECTORIES } from "../support/directory.ts";

describe("the commands' way into a running bridge", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-control-"));
    file = join(folder, "control.sock");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const listen = (at = file) => listenControl(at, { desk: NO_DIRECTORIES, log: silentLog() });
  const ask = () => askBridge(file, "GET", "/api/directory");

  it("is there while the bridge runs, for its owner alone", async () => {
    expect(await ask()).to.equal(undefined);
    const control = await listen();
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    expect(await ask()).to.deep.equal({ answer: { directories: [] } });
    await control.close();
    expect(await ask()).to.equal(undefined);
  });

  it("takes the place of one that a crash has left", async () => {
    await writeFile(file, "");
    const control = await listen();
    expect(await ask()).to.deep.equal({ answer: { directories: [] } });
    await control.close();
  });

  it("says what cannot be done", async () => {
    const control = await listen();
    const refused = await askBridge(file, "POST", "/api/directory/x/sync", { confirm: 7 }).catch(
      (error: unknown) => error,
    );
    expect(refused).to.include({ kind: "invalid" });
    const nobody = await askBridge(file, "GET", "/api/directory/x/explain").catch((error: unknown) => error);
    expect(nobody).to.include({ kind: "invalid" });
    const unknown = await askBridge(file, "GET", "/api/accounts").catch((error: unknown) => error);
    expect(unknown).to.include({ kind: "not-found" });
    await control.close();
  });

  it("is not made where its path is longer than the system takes", async () => {
    const refused = await listen(join(folder, "x".repeat(120))).catch((error: unknown) => error);
    expect(refused).to.include({ kind: "unavailable" });
  });
});
