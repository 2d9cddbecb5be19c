import { join } from "node:path";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { type Peer, peer } from "../support/peer.ts";
import { viaduct } from "../support/viaduct.ts";

const ADMIN = { name: "admin", password: "correct horse battery" };

describe("the page of exports, in Chromium", () => {
  let t: TestBridge;
  let zip: Peer;
  let window: BrowserWindow;
  let page: Page;
  let password = "";
  let file = "";

  before(async function () {
    const chromium = peer(this, "chromium");
    zip = peer(this, "7zz");
    t = await startTestBridge();
    const camera = await t.camera({ name: "Gate" });
    await t.administrator(ADMIN.password);
    await t.adopt(camera);
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
    ({ page } = window);
    await window.logIn(ADMIN.name, ADMIN.password);
    await page.getByRole("link", { name: "Exports" }).click();
  });
  after(async () => {
    await window?.close();
    await t?.close();
  });

  it("says what to do where nothing is exported yet", async () => {
    await page.getByRole("heading", { name: "Nothing is exported" }).waitFor();
    await window.picture("exports-empty");
  });

  it("says what is wrong with what is asked for, and keeps it", async () => {
    await page.getByRole("button", { name: "Export recordings…" }).press("Enter");
    const dialog = page.getByRole("dialog", { name: "Export recordings" });
    expect(await dialog.getByLabel("Stream").count()).to.equal(0);
    await dialog.getByLabel("Gate").check();
    expect(await dialog.getByLabel("Stream").locator("option").allTextContents()).to.deep.equal(["main", "sub"]);
    const to = await dialog.getByLabel("To", { exact: true }).inputValue();
    await dialog.getByLabel("From", { exact: true }).fill(to);
    await dialog.getByRole("button", { name: "Export", exact: true }).click();
    await dialog.getByRole("alert").filter({ hasText: "The beginning must be before the end" }).waitFor();
    expect(await dialog.getByLabel("To", { exact: true }).inputValue()).to.equal(to);
    await window.picture("exports-refused");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  });

  it("exports what was just recorded, shows the password once, and how far it is", async () => {
    const recorded = () => t.bridge.parts.watch.all()[0]?.recorded.extent();
    await eventually(async () => {
      const extent = await recorded();
      return extent !== undefined && extent.to - extent.from > 4000;
    });
    const extent = await recorded();
    await page.getByRole("button", { name: "Export recordings…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Gate").check();
    const local = (at: number): Promise<string> =>
      page.evaluate((ms) => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19), at);
    await dialog.getByLabel("From", { exact: true }).fill(await local(extent?.from ?? 0));
    await dialog.getByLabel("To", { exact: true }).fill(await local((extent?.from ?? 0) + 4000));
    await dialog.getByLabel("Reason").fill("case 117");
    await dialog.getByRole("button", { name: "Export", exact: true }).click();
    await page.getByRole("heading", { name: "The export is being made" }).waitFor();
    password = (await page.getByRole("dialog").locator("code").textContent()) ?? "";
    expect(password).to.match(/^\w{20}$/);
    await window.picture("exports-password");
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByText(/waits for its turn|is being made|ready/).waitFor();
    await window.picture("exports-running");
    await page.getByText("ready", { exact: true }).waitFor();
    expect(await page.getByText(password).count()).to.equal(0);
    await window.picture("exports-ready");
  });

  it("hands out a file that 7-Zip opens with it, and that verifies as it was recorded", async () => {
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Fetch" }).click();
    const fetched = await download;
    expect(fetched.suggestedFilename()).to.match(/^export-20\d\d-.*\.zip$/);
    file = join(t.folder, fetched.suggestedFilename());
    await fetched.saveAs(file);
    const { code, stdout } = await zip.run(["t", `-p${password}`, file]);
    expect(code, stdout.toString()).to.equal(0);
    const certificate = join(t.folder, "evidence-cert.pem");
    const checked = await viaduct(["verify", file, "--certificate", certificate, "--password-fd", "0"], {
      input: `${password}\n`,
    });
    expect(checked.code, checked.out + checked.err).to.equal(0);
    expect(checked.out).to.match(/ gate\/main media\/gate\/\S+\.mp4: ok\n/);
  });

  it("removes it where that is wanted", async () => {
    await page.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("heading", { name: "Nothing is exported" }).waitFor();
    expect(window.troubles).to.deep.equal([]);
  });
});
