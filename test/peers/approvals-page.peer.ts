import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { RIGHTS } from "../../auth/right.ts";
import { Secret } from "../../base/secret.ts";
import { startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { peer } from "../support/peer.ts";
import { viaduct } from "../support/viaduct.ts";
import { PASSWORD } from "../support/web-site.ts";

describe("acts that wait for a second person, in two Chromiums and at the command line", () => {
  let t: TestBridge;
  let folder: string;
  let config: string;
  let ada: BrowserWindow;
  let bob: BrowserWindow;
  let guard: BrowserWindow;

  before(async function () {
    const chromium = peer(this, "chromium");
    folder = await mkdtemp(join(tmpdir(), "viaduct-approvals-"));
    t = await startTestBridge({ folder, approval: { acts: ["remove-camera"], logInOf: ["guards"] } });
    config = join(folder, "viaduct.yaml");
    const sides = { cameraSide: { interfaces: [t.cameraNetwork] }, clientSide: { addresses: ["127.0.0.1"] } };
    await writeFile(config, JSON.stringify({ dataFolder: folder, ...sides }));
    for (const name of ["Gate", "Yard"]) await t.adopt(await t.camera({ name }));
    const { accounts, addresses } = t.bridge.parts;
    const all = RIGHTS.map((right) => ({ right, cameras: "any", interfaces: "any" }) as const);
    const password = new Secret(PASSWORD);
    await accounts.createPerson({ name: "bob", password, grants: [], roles: ["administrator"] });
    await accounts.createPerson({ name: "ada", password, grants: all.filter(({ right }) => right !== "approve") });
    await accounts.setPart("role", "guards", { name: "Guards", grants: all.slice(0, 2) });
    await accounts.createPerson({ name: "guard", password, grants: [], roles: ["guards"] });
    const url = addresses().web("127.0.0.1");
    [ada, bob, guard] = [
      await openWindow(chromium, url),
      await openWindow(chromium, url),
      await openWindow(chromium, url),
    ];
    for (const [{ page }, name] of [
      [ada, "ada"],
      [bob, "bob"],
    ] as const)
      await logIn(page, name);
  });
  after(async () => {
    for (const window of [ada, bob, guard]) await window?.close();
    await t?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const logIn = async (page: Page, name: string): Promise<void> => {
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
  };
  const ids = (): readonly string[] => t.bridge.parts.watch.all().map(({ info }) => info.id);
  const remove = async (camera: string): Promise<void> => {
    const { page } = ada;
    await page.getByRole("button", { name: camera }).first().click();
    await page.getByRole("button", { name: "Remove…" }).click();
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByRole("heading", { name: "A second person is asked" }).waitFor();
  };

  it("show an empty list, and nothing to who has nothing to do with it", async () => {
    const { page } = bob;
    await page.getByRole("link", { name: "Approvals" }).click();
    await page.getByText("Nothing waits for a second person").waitFor();
    await bob.picture("approvals-empty");
  });

  it("go on by themselves once somebody has approved them", async () => {
    await remove("Gate");
    await ada.picture("approvals-asked");
    expect(ids()).to.include("gate");
    const { page } = bob;
    await page.getByText('remove the camera gate ("Gate")').waitFor();
    await page.getByRole("link", { name: "Approvals (1)" }).waitFor();
    await bob.picture("approvals-waiting");
    // By the keyboard alone.
    await page.getByRole("button", { name: "Approve…" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Approve this?" }).waitFor();
    await page.getByLabel("Reason").fill("it was sold");
    await bob.picture("approvals-approve");
    await page.keyboard.press("Enter");
    await page.getByText("approved and done").waitFor();
    await ada.page.getByRole("heading", { name: "A second person is asked" }).waitFor({ state: "detached" });
    expect(ids()).to.deep.equal(["yard"]);
    await bob.picture("approvals-done");
  });

  it("say who has refused them, and why", async () => {
    await remove("Yard");
    const { page } = bob;
    await page.getByRole("button", { name: "Refuse…" }).click();
    await page.getByLabel("Reason").fill("not this one");
    await page.getByRole("button", { name: "Refuse", exact: true }).click();
    await ada.page.getByText("This was not approved: refused by bob: not this one.").waitFor();
    await ada.picture("approvals-refused");
    expect(ids()).to.deep.equal(["yard"]);
    await ada.page.keyboard.press("Escape");
  });

  it("let somebody in at the pages when another one says so at the command line", async () => {
    const command = (...args: readonly string[]) =>
      viaduct(["approval", ...args, "--config", config, "--user", "bob", "--password-fd", "0"], {
        input: `${PASSWORD}\n`,
      });
    await logIn(guard.page, "guard");
    await guard.page.getByText("A second person has to approve this log-in").waitFor();
    await guard.picture("approvals-log-in");
    const listed = JSON.parse((await command("list", "--json")).out) as { id: string; who: string; state: string }[];
    const { id = "" } = listed.find(({ who, state }) => who === "guard" && state === "waiting") ?? {};
    const approved = await command("approve", id);
    expect([approved.code, approved.out]).to.deep.equal([0, `${id} is approved.\n`]);
    await guard.page.locator("details.account").waitFor();
    const again = await command("approve", id);
    expect([again.code, again.out]).to.deep.equal([1, ""]);
    expect((await command("list")).out).to.contain("log in from 127.0.0.1");
  });

  it("make second persons of the people that are added", async () => {
    const { page } = bob;
    await page.getByRole("link", { name: "Accounts" }).click();
    await page.getByRole("button", { name: "Add a person…" }).click();
    await page.getByLabel("Name").fill("carl");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByLabel("Administrator").check();
    await bob.picture("accounts-new-person");
    await page.keyboard.press("Enter");
    await page.getByRole("cell", { name: "carl" }).waitFor();
    expect(t.bridge.parts.accounts.list().find(({ name }) => name === "carl")?.roles).to.deep.equal(["administrator"]);
  });

  it("and no page has had any trouble", () => {
    expect([ada, bob, guard].flatMap(({ troubles }) => troubles)).to.deep.equal([]);
  });
});
