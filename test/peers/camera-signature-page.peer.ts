import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { Locator, Page } from "playwright-core";
import { readPlayed } from "../../sim/played.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { peer } from "../support/peer.ts";
import { scratchFolder } from "../support/recorder-samples.ts";
import { signedBytes } from "../support/signed-film.ts";

const ADMIN = { name: "admin", password: "correct horse battery" };

describe("what cameras signed, in the pages, in Chromium", () => {
  let t: TestBridge;
  let window: BrowserWindow;
  let page: Page;
  let remove: () => Promise<void>;
  /** What is in finished files, of the camera that signs. */
  let from = 0;
  let to = 0;

  before(async function () {
    const chromium = peer(this, "chromium");
    const scratch = await scratchFolder();
    ({ remove } = scratch);
    const folder = join(scratch.folder, "data");
    await mkdir(folder, { recursive: true });
    t = await startTestBridge({ folder, segmentSeconds: 10 });
    const signs = await t.camera({ name: "Gate", played: readPlayed(signedBytes("axis.264")), fps: 5 });
    const plain = await t.camera({ name: "Yard", address: t.cameraAddress() });
    await t.administrator(ADMIN.password);
    const id = await t.adopt(signs);
    const other = await t.adopt(plain);
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
    ({ page } = window);
    await window.logIn(ADMIN.name, ADMIN.password);
    await page.getByRole("link", { name: "Playback" }).waitFor();
    const { archive } = t.bridge.parts;
    const finished = (camera: string) => archive.place.catalog.segments.after(camera, "main", { startUs: 0, file: "" });
    await eventually(async () => {
      const ofOther = await finished(other);
      // The first file ends where the clock has it, and may be too short for a group of pictures with its signature.
      const whole = (await finished(id)).find(
        ({ startUs, endUs }) =>
          endUs - startUs > 5e6 && ofOther.some((one) => one.startUs < endUs && one.endUs > startUs),
      );
      [from, to] = [(whole?.startUs ?? 0) / 1000, (whole?.endUs ?? 0) / 1000];
      return whole !== undefined;
    });
  });
  after(async () => {
    await window?.close();
    await t?.close();
    await remove?.();
  });

  const local = (at: number): Promise<string> =>
    page.evaluate((ms) => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19), at);

  async function open(): Promise<Locator> {
    await page.getByRole("button", { name: "Camera signature…" }).click();
    return page.getByRole("dialog", { name: "Camera signature" });
  }

  async function compare(dialog: Locator, begin: number, end: number): Promise<void> {
    await dialog.getByLabel("From").fill(await local(begin));
    await dialog.getByLabel("To").fill(await local(end));
    await dialog.getByRole("button", { name: "Compare" }).click();
  }

  it("are compared in playback for a stretch that somebody chooses, and name whose they are", async () => {
    await page.goto(`/playback?camera=gate,yard&at=${new Date(from + 2000).toISOString()}`);
    const dialog = await open();
    await window.picture("signature-asked");
    await compare(dialog, from - 1000, to + 1000);
    await dialog.getByText("as the camera signed it").first().waitFor();
    const signer = await dialog.locator(".signer").textContent();
    expect(signer).to.match(
      /groups of pictures are signed by Axis Edge Vault Attestation \w+, issued by Chips of this year \(SHA-256 [0-9A-F:]+\), which says that it is Axis Communications AB ACCC8E000001/,
    );
    await dialog.getByText("anybody can sign for a camera with a key of their own").waitFor();
    await window.picture("signature-compared");
  });

  it("lead to where it is that something was found", async () => {
    const dialog = page.getByRole("dialog", { name: "Camera signature" });
    await dialog.locator("tbody button").first().click();
    await dialog.getByRole("button", { name: "Close", exact: true }).last().click();
    await dialog.waitFor({ state: "detached" });
    const shown = Date.parse(new URL(page.url()).searchParams.get("at") ?? "");
    expect(Math.abs(shown - from)).to.be.below(3000);
  });

  it("say that there is nothing to compare, that a camera does not sign, and what is wrong with a question", async () => {
    const dialog = await open();
    await compare(dialog, from - 3_600_000, from - 3_500_000);
    await dialog.getByText("There is nothing here to compare").waitFor();
    await window.picture("signature-nothing");
    await compare(dialog, to, from);
    await dialog.getByRole("alert").filter({ hasText: "must be after from, by 4 hours at most" }).waitFor();
    await window.picture("signature-refused");
    await dialog.getByLabel("Camera").selectOption("Yard");
    await compare(dialog, from - 1000, to + 1000);
    await dialog.getByText("This camera does not sign its pictures").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  });

  it("stand at an export that was made, and do not stand at one of a camera that does not sign", async () => {
    await page.getByRole("link", { name: "Exports" }).click();
    await page.getByRole("button", { name: "Export recordings…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Gate").check();
    await dialog.getByLabel("Yard").check();
    await dialog.getByLabel("From", { exact: true }).fill(await local(from));
    await dialog.getByLabel("To", { exact: true }).fill(await local(to));
    await dialog.getByRole("button", { name: "Export", exact: true }).click();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByText("ready", { exact: true }).waitFor();
    await page.getByText(/^Gate, signed by the camera: .*as the camera signed it, \d/).waitFor();
    await page.getByText(/^signed by Axis Edge Vault Attestation/).waitFor();
    expect(await page.getByText(/^Yard, signed by the camera/).count()).to.equal(0);
    await window.picture("signature-export");
    expect(window.troubles).to.deep.equal([]);
  });
});
