import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { peer } from "../support/peer.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { type Ended, viaduct } from "../support/viaduct.ts";

const BASE = "dc=site,dc=test";
const ADMIN = { name: "admin", password: "correct horse battery" };
const PEOPLE = ["ann", "ben", "cat", "dan", "eva", "fred", "gus"];

const LDIF = [
  `dn: ou=people,${BASE}\nchangetype: add\nobjectClass: organizationalUnit\nou: people\n\n`,
  ...PEOPLE.map(
    (uid) =>
      `dn: uid=${uid},ou=people,${BASE}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: ${uid}\nuserPassword: secret-${uid}\n\n`,
  ),
  `dn: cn=guards,${BASE}\nchangetype: add\nobjectClass: groupOfNames\ncn: guards\n${PEOPLE.map((uid) => `member: uid=${uid},ou=people,${BASE}\n`).join("")}\n`,
].join("");

describe("a directory, in Chromium and at the command line", () => {
  let slapd: Slapd;
  let t: TestBridge;
  let window: BrowserWindow;
  let page: Page;
  let config: string;
  let folder: string;

  before(async function () {
    const chromium = peer(this, "chromium");
    slapd = await startSlapd(this, LDIF);
    const directory = () => ({
      name: "site",
      schema: "rfc2307",
      servers: ["127.0.0.1"],
      port: slapd.tlsPort,
      ca: join(folder, "ldap-ca.pem"),
      account: slapd.account,
      passwordFile: join(folder, "ldap-password"),
      base: BASE,
      roles: [{ group: "guards", roles: ["guards"] }],
      intervalMinutes: 1000,
    });
    folder = await mkdtemp(join(tmpdir(), "viaduct-directory-"));
    await writeFile(join(folder, "ldap-ca.pem"), slapd.caText);
    await writeFile(join(folder, "ldap-password"), `${slapd.password}\n`, { mode: 0o600 });
    t = await startTestBridge({ folder, directory: [directory()] });
    config = join(folder, "viaduct.yaml");
    const { cameraNetwork } = t;
    await writeFile(
      config,
      JSON.stringify({
        dataFolder: folder,
        cameraSide: { interfaces: [cameraNetwork] },
        clientSide: { addresses: ["127.0.0.1"] },
        directory: [directory()],
      }),
    );
    const { accounts, addresses } = t.bridge.parts;
    const token = accounts.setUpToken()?.reveal();
    window = await openWindow(chromium, addresses().web("127.0.0.1"));
    ({ page } = window);
    await page.request.post("/api/setup", { data: { token, ...ADMIN } });
    await page.goto("/directory");
  });
  after(async () => {
    await window?.close();
    await t?.close();
    await slapd?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const command = (...args: readonly string[]): Promise<Ended> => viaduct(["directory", ...args, "--config", config]);
  const members = (uids: readonly string[]): Promise<void> =>
    slapd.modify(
      `dn: cn=guards,${BASE}\nchangetype: modify\nreplace: member\n${uids.map((uid) => `member: uid=${uid},ou=people,${BASE}\n`).join("")}\n`,
    );

  it("says what is missing before a sync can work", async () => {
    await page.getByRole("button", { name: "Sync now" }).click();
    await eventually(async () => (await t.bridge.parts.desk.history("site")).some(({ by }) => by === ADMIN.name));
    await page.getByText("there is no role guards").first().waitFor();
    await t.bridge.parts.accounts.setPart("role", "guards", {
      name: "Guards",
      grants: [{ right: "live", cameras: "any", interfaces: "any" }],
    });
    await window.picture("directory-failed");
  });

  it("shows who would come, and makes their accounts", async () => {
    await page.getByRole("button", { name: "Preview" }).click();
    const table = page.getByRole("table", { name: "Preview" });
    await table.waitFor();
    expect(await table.getByRole("row").count()).to.equal(1 + PEOPLE.length);
    await window.picture("directory-preview");
    await page.getByRole("button", { name: "Sync now" }).click();
    await page.getByText(`${PEOPLE.length} in, 0 out`).waitFor();
    expect(t.bridge.parts.accounts.ofDirectory("site")).to.have.length(PEOPLE.length);
  });

  it("says why somebody has a role, and what of the directory works", async () => {
    await page.getByPlaceholder("name to log in with").fill("ann");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByText("Role guards by guards").waitFor();
    await page.getByRole("button", { name: "Test" }).click();
    await page.getByText("its certificate is good").waitFor();
    await window.picture("directory-test");
  });

  it("holds a mass removal, says so, and lets it pass when it is confirmed", async () => {
    await members(["ann"]);
    await page.getByRole("button", { name: "Sync now" }).click();
    await page.getByText("The last sync holds").waitFor();
    expect(t.bridge.parts.accounts.ofDirectory("site").every(({ directory }) => directory?.out === undefined)).to.equal(
      true,
    );
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByRole("button", { name: "Confirm…" }).waitFor();
    await window.picture("directory-held");
    await page.getByRole("button", { name: "Confirm…" }).click();
    await window.picture("directory-confirm");
    await page.getByRole("button", { name: "Do it" }).click();
    await page.getByText("1 in, 6 out").waitFor();
    await page.getByRole("button", { name: "History" }).click();
    await page.getByRole("table", { name: "History" }).waitFor();
    await window.picture("directory-history");
  });

  it("is reached by commands while the bridge runs", async () => {
    await members(["ann", "ben"]);
    const preview = await command("preview", "--json");
    const { site } = JSON.parse(preview.out) as { site: { changes: { name: string; what: string }[] } };
    expect(site.changes.map(({ name, what }) => [name, what])).to.deep.equal([["ben", "changes"]]);
    expect(await command("sync")).to.include({ code: 0 });
    expect(t.bridge.parts.accounts.list().find(({ name }) => name === "ben")?.directory).not.to.have.property("out");
    expect((await command("explain", "ben")).out).to.include("role guards by guards");
    const history = await command("history");
    expect(history.out).to.include("0 came, 0 went, 1 changed");
    await members(["fred"]);
    expect(await command("sync")).to.include({ code: 0 });
    expect((await command("explain", "nobody")).code).to.equal(1);
    expect((await command("preview", "--directory", "other")).err).to.include(
      "there is no directory other; there are site",
    );
  });

  it("is worked on by the same commands while the bridge is stopped, with a password that is kept sealed", async () => {
    await t.bridge.close();
    const text = (await readFile(config, "utf8")).replace(/"passwordFile":"[^"]*",/, "");
    await writeFile(config, text);
    expect((await command("test")).out).to.include("viaduct directory password site");
    const kept = await viaduct(["directory", "password", "site", "--config", config, "--password-fd", "0"], {
      input: `${slapd.password}\n`,
    });
    expect(kept).to.include({ code: 0, err: "" });
    expect((await command("sync")).out).to.include("nothing to do");
    expect(await readFile(join(folder, "viaduct.db"), "latin1")).not.to.include(slapd.password);
    expect(await readFile(join(folder, "audit.log"), "utf8")).to.include("set-directory-password");
  });
});
