import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Locator, Page } from "playwright-core";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { type Peer, peer } from "../support/peer.ts";

const ADMIN = { name: "admin", password: "correct horse battery" };

describe("the disks of recordings, in Chromium", () => {
  let chromium: Peer;
  let t: TestBridge;
  let window: BrowserWindow;
  let page: Page;
  let folder: string;

  before(async function () {
    chromium = peer(this, "chromium");
    folder = await mkdtemp(join(tmpdir(), "viaduct-storage-"));
    for (const name of ["fast", "tiny", "slow"]) await mkdir(join(folder, name));
    t = await startTestBridge({
      folder,
      volumes: [
        { name: "fast", folder: join(folder, "fast"), keepFreeGigabytes: 0 },
        // More is to stay free than any disk has.
        { name: "tiny", folder: join(folder, "tiny"), keepFreeGigabytes: 1e9 },
        { name: "slow", folder: join(folder, "slow"), role: "archive", keepFreeGigabytes: 0, maxGigabytes: 8000 },
      ],
    });
    await t.adopt(await t.camera({ name: "Gate" }));
    window = await logIn(t);
    ({ page } = window);
  });
  after(async () => {
    await window?.close();
    await t?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const logIn = async ({ bridge }: TestBridge): Promise<BrowserWindow> => {
    const { accounts, addresses } = bridge.parts;
    const opened = await openWindow(chromium, addresses().web("127.0.0.1"));
    const token = accounts.setUpToken()?.reveal();
    await opened.page.request.post("/api/setup", { data: { token, ...ADMIN } });
    await opened.page.goto("/storage");
    return opened;
  };
  const row = (name: string): Locator =>
    page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: new RegExp(`^${name}`) }) });
  const segmentsOn = async (name: string): Promise<number> =>
    (await t.bridge.parts.archive.volumes()).find((one) => one.name === name)?.segments ?? 0;

  it("show one that is recorded to, one that is full and the archive, with how much they may have", async () => {
    await eventually(async () => (await segmentsOn("fast")) > 0);
    await t.bridge.parts.archive.tidy();
    await page.goto("/storage");
    await row("fast").getByText("good").waitFor();
    await row("main").getByText("where no other can be written").waitFor();
    await row("tiny").getByText("full", { exact: true }).waitFor();
    await row("tiny")
      .getByText(/^The volume tiny .* is full, and nothing on it may be deleted\.$/)
      .waitFor();
    await row("slow").getByText("of 8.0 TB at most").waitFor();
    expect(await page.getByRole("button", { name: /Forget/ }).count()).to.equal(0);
    await window.picture("storage");
  });

  it("are chosen for a stream", async () => {
    await page.getByRole("link", { name: "Cameras" }).click();
    await page.getByRole("button", { name: "Gate" }).first().click();
    await page.getByRole("button", { name: "Change recording of main" }).click();
    const dialog = page.getByRole("dialog", { name: "Recording of main" });
    await dialog.getByLabel("To").selectOption("slow");
    expect(await dialog.getByLabel("To").locator("option").allTextContents()).to.deep.equal([
      "Any volume",
      "main",
      "fast",
      "tiny",
      "slow",
    ]);
    await window.picture("storage-choice");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await eventually(async () => (await segmentsOn("slow")) > 0);
    await page.goto("/storage");
    await row("slow").getByRole("cell", { name: "1", exact: true }).waitFor();
  });

  it("are forgotten where one will not come back, once it was asked, by the keyboard", async () => {
    await rename(join(folder, "fast"), join(folder, "fast-lost"));
    await row("fast").getByText("not there", { exact: true }).waitFor();
    await row("fast").getByText("unknown").waitFor();
    await window.picture("storage-away");
    const button = row("fast").getByRole("button", { name: "Forget fast…" });
    await button.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Forget fast?" });
    await dialog.getByText(/of recordings are on it\. They are told as missing/).waitFor();
    await window.picture("storage-forget");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await segmentsOn("fast")).to.be.greaterThan(0);
    await page.keyboard.press("Enter");
    await dialog.getByRole("button", { name: "Forget", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    await row("fast").getByText("0 MB").waitFor();
    await button.waitFor({ state: "detached" });
    expect(await segmentsOn("fast")).to.equal(0);
    // Where its disk was mounted, the same name is not begun anew.
    await mkdir(join(folder, "fast"));
    await page.goto("/storage");
    await row("fast")
      .getByText(/its disk is not mounted at/)
      .waitFor();
  });

  it("are found again where one comes back all the same", async () => {
    await rm(join(folder, "fast"), { recursive: true });
    await rename(join(folder, "fast-lost"), join(folder, "fast"));
    await eventually(async () => (await segmentsOn("fast")) > 0);
    await row("fast").getByText("good").waitFor();
  });

  it("say that they cannot be asked while the bridge does not answer, and go on when it does", async () => {
    await page.route("**/api/volumes", (route) => route.fulfill({ status: 503, json: { error: "the disk is busy" } }));
    await page.getByText("The disk is busy.").waitFor();
    await row("fast").waitFor();
    await window.picture("storage-trouble");
    await page.unroute("**/api/volumes");
    await page.getByText("The disk is busy.").waitFor({ state: "hidden" });
    // The answer above is what the browser complains of.
    expect(window.troubles.filter((one) => !one.includes("status of 503"))).to.deep.equal([]);
  });

  it("say what a second one would be good for where there is one", async () => {
    const single = await startTestBridge();
    try {
      const other = await logIn(single);
      await other.page.getByText("There is one disk: when it fails").waitFor();
      await other.picture("storage-one");
      expect(other.troubles).to.deep.equal([]);
      await other.close();
    } finally {
      await single.close();
    }
  });
});
