import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { askBridge } from "../../bin/control-client.ts";
import { listenControl } from "../../web/control.ts";
import { noDirectories } from "../support/directory.ts";
import { PASSWORD, startWebSite, type WebSite } from "../support/web-site.ts";

describe("the commands' way into a running bridge", () => {
  let folder: string;
  let file: string;
  let site: WebSite;
  before(async () => {
    site = await startWebSite(undefined, { acts: ["remove-camera"] });
  });
  after(() => site.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-control-"));
    file = join(folder, "control.sock");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const listen = (at = file) => listenControl(at, { ...site.options, desk: noDirectories() });
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

  it("takes answers to what waits for a second person, with the log-in of who may give them", async () => {
    const any = (right: "approve" | "adopt-camera") => ({ right, cameras: "any", interfaces: "any" }) as const;
    site.camera("gate");
    const ada = await site.person("ada", [any("adopt-camera")]);
    await site.person("bob", [any("approve")]);
    await site.person("web-bob", [{ ...any("approve"), interfaces: new Set(["web" as const]) }]);
    const asked = await ada.send("DELETE", "/api/cameras/gate");
    const { id } = (asked.json as { readonly approval: { readonly id: string } }).approval;
    const control = await listen();
    const say = (name: string, password = PASSWORD): Promise<unknown> =>
      askBridge(file, "POST", `/api/approvals/${id}`, { name, password, says: "approved" }).catch(
        (error: { readonly kind: string }) => error.kind,
      );
    expect(await say("bob", "wrong password")).to.equal("unauthenticated");
    expect(await say("ada")).to.equal("denied");
    expect(await say("web-bob"), "at another interface").to.equal("denied");
    const listed = await askBridge(file, "POST", "/api/approvals/list", { name: "bob", password: PASSWORD });
    const { approvals } = (listed ?? { answer: {} }).answer as { readonly approvals: readonly object[] };
    expect(approvals[0]).to.include({ id, who: "ada" });
    expect(await say("bob")).to.deep.equal({ answer: {} });
    expect((await ada.send("DELETE", "/api/cameras/gate")).status).to.equal(204);
    await control.close();
  });

  it("is not made where its path is longer than the system takes", async () => {
    const refused = await listen(join(folder, "x".repeat(120))).catch((error: unknown) => error);
    expect(refused).to.include({ kind: "unavailable" });
  });
});
