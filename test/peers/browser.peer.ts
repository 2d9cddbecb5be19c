import { expect } from "chai";
import type { Page } from "playwright-core";
import { systemClock } from "../../base/clock.ts";
import { unixMillis } from "../../base/units.ts";
import type { RecordingPlan } from "../../bridge/recording-plan.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import { codeFor } from "../support/authenticator.ts";
import { CAMERA_LOGIN, eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { peer } from "../support/peer.ts";

const LATER = unixMillis(Date.UTC(2999, 0, 1));
const ADMIN = { name: "admin", password: "correct horse battery", next: "another horse battery" };

/** What is asked of the page's `<video>`. The DOM's own types would hold for all our code, which has no DOM. */
interface VideoElement {
  readonly videoWidth: number;
  readonly videoHeight: number;
  getVideoPlaybackQuality(): { readonly totalVideoFrames: number };
}

interface PageWindow {
  sawScan?: boolean;
  readonly document: { readonly body: unknown; querySelector(what: string): unknown };
  readonly MutationObserver: new (
    changed: () => void,
  ) => {
    observe(of: unknown, o: { readonly childList: true; readonly subtree: true }): void;
  };
}

describe("the pages, in Chromium", () => {
  let t: TestBridge;
  let camera: SimCamera;
  let window: BrowserWindow;
  let page: Page;

  before(async function () {
    const chromium = peer(this, "chromium");
    t = await startTestBridge({ lingerSeconds: 1 });
    camera = await t.camera({ name: "Gate" });
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
    ({ page } = window);
  });
  after(async () => {
    await window?.close();
    await t?.close();
  });

  const planOf = (): RecordingPlan => {
    const [found] = t.bridge.parts.watch.all();
    if (found === undefined) throw new Error("no camera");
    return found.info.streams[0].recording.plan;
  };

  it("refuse a wrong set-up token, and make the first administrator with the right one", async () => {
    await page.getByLabel("Set-up token").fill("wrong");
    await page.getByLabel("Name").fill(ADMIN.name);
    await page.getByLabel("Password").fill(ADMIN.password);
    const create = page.getByRole("button", { name: "Create administrator" });
    await create.click();
    await page.getByRole("alert").filter({ hasText: /token/i }).waitFor();
    await window.picture("set-up");
    const token = t.bridge.parts.accounts.setUpToken();
    await page.getByLabel("Set-up token").fill(token?.reveal() ?? "");
    await create.click();
    await page.getByRole("heading", { name: "No cameras yet" }).waitFor();
    await window.picture("empty");
  });

  it("refuse a wrong password, and log in with the right one", async () => {
    await window.account("Log out");
    await window.logIn(ADMIN.name, "not the password");
    await page.getByRole("alert").filter({ hasText: /./ }).waitFor();
    await window.picture("log-in-refused");
    await page.getByLabel("Password").fill(ADMIN.password);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("link", { name: "Discovery" }).waitFor();
  });

  it("show a scan while it runs, and what it finds", async () => {
    await page.getByRole("link", { name: "Discovery" }).click();
    await page.getByLabel(/Also ask/).fill(new URL(camera.deviceUrl).hostname);
    await page.evaluate(noteScan);
    await page.getByRole("button", { name: "Scan" }).click();
    await window.picture("scanning");
    await page.getByRole("cell", { name: "Gate", exact: true }).waitFor();
    await eventually(() => page.evaluate(() => (globalThis as unknown as PageWindow).sawScan === true));
    await window.picture("found");
  });

  it("say in words that plain text is not allowed for the camera, and that its password is wrong", async () => {
    await page.getByRole("button", { name: "Adopt…" }).click();
    await page.getByLabel("Camera's user").fill(CAMERA_LOGIN.user);
    await page.getByLabel("Camera's password").fill("wrong");
    const refusal = page.getByRole("dialog").getByRole("alert");
    await page.getByRole("button", { name: "Adopt and record" }).click();
    await refusal.filter({ hasText: /switch HTTPS on .* or allow plain text/ }).waitFor();
    await page.getByLabel("Allow plain text for this camera").check();
    await page.getByRole("button", { name: "Adopt and record" }).click();
    await refusal.filter({ hasText: /password/i }).waitFor();
    await window.picture("adopt-refused");
  });

  it("adopt a camera and show its live picture moving", async () => {
    await page.getByLabel("Camera's password").fill(CAMERA_LOGIN.password.reveal());
    await page.getByRole("button", { name: "Adopt and record" }).click();
    await page.locator('.picture[data-state="playing"]').waitFor();
    const video = () =>
      page.locator("video").evaluate((element) => {
        const shown = element as unknown as VideoElement;
        return {
          frames: shown.getVideoPlaybackQuality().totalVideoFrames,
          size: [shown.videoWidth, shown.videoHeight],
        };
      });
    const before = (await video()).frames;
    await eventually(async () => (await video()).frames > before + 15);
    expect((await video()).size).to.deep.equal([640, 360]);
    await window.picture("live");
  });

  it("tell by what the camera sends, and have it send another way", async () => {
    const main = page.getByRole("region", { name: "Stream main" });
    await main.getByText("video H264 over TCP").waitFor();
    await page.getByLabel("Transport").selectOption("UDP alone");
    await main.getByText("video H264 over UDP").waitFor();
    await page.getByLabel("Transport").selectOption("Automatic");
    await page.locator('.picture[data-state="playing"]').waitFor();
  });

  it("show all cameras at once by their small pictures, which are pulled for that alone", async () => {
    const sub = page.getByRole("region", { name: "Stream sub" });
    await sub.getByText("idle", { exact: true }).waitFor();
    await window.picture("streams");
    await page.getByRole("button", { name: "All pictures" }).click();
    await page.locator('.wall .picture[data-state="playing"]').waitFor();
    const video = page.locator(".wall video");
    await eventually(() => video.evaluate((element) => (element as unknown as VideoElement).videoWidth === 320));
    await window.picture("wall");
    await page.getByRole("list").getByRole("button", { name: "Gate" }).click();
    await page.locator('.picture[data-state="playing"]').waitFor();
  });

  it("have a stream pulled as it is chosen", async () => {
    const sub = page.getByRole("region", { name: "Stream sub" });
    await sub.getByText("idle", { exact: true }).waitFor();
    await sub.getByLabel("Pulled").selectOption("Always");
    await sub.getByText("online", { exact: true }).waitFor();
    await sub.getByLabel("Pulled").selectOption("While it is watched or recorded");
    await sub.getByText("idle", { exact: true }).waitFor();
  });

  it("have a stream recorded when something happens, or at certain hours", async () => {
    const main = page.getByRole("region", { name: "Stream main" });
    await main.getByText("recording", { exact: true }).waitFor();
    const dialog = page.getByRole("dialog");
    const change = async (mode: string): Promise<void> => {
      await main.getByRole("button", { name: "Change recording of main" }).click();
      await dialog.getByLabel("Record").selectOption(mode);
    };
    await change("When something happens");
    await dialog.getByLabel("A person").check();
    await dialog.getByLabel("Seconds before").fill("3");
    await window.picture("recording-on-events");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await eventually(() => planOf().mode === "events");
    expect(planOf().events).to.deep.equal({ of: ["motion", "person"], beforeSeconds: 3, afterSeconds: 10 });
    await change("At certain hours");
    await dialog.getByLabel("From", { exact: true }).fill("00:00");
    await dialog.getByLabel("Time zone").fill("Mars");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText(/no such time zone/).waitFor();
    await dialog.getByLabel("Time zone").fill("Europe/Copenhagen");
    await window.picture("recording-at-hours");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await eventually(() => planOf().mode === "schedule");
    expect(planOf().hours).to.deep.equal({
      zone: "Europe/Copenhagen",
      weekly: [{ days: [1, 2, 3, 4, 5], from: "00:00", to: "18:00" }],
      exceptions: [],
    });
    await change("Always");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await main.getByText("recording", { exact: true }).waitFor();
  });

  it("make an account for an external system and show its secret once", async () => {
    await page.getByRole("link", { name: "Accounts" }).click();
    await page.getByRole("button", { name: "Add an external system…" }).click();
    await page.getByLabel("Name").fill("control-room");
    await page.getByRole("button", { name: "Create" }).click();
    const secret = page.getByRole("dialog").locator("code").nth(1);
    expect(await secret.textContent()).to.match(/^\w{20}$/);
    await window.picture("secret");
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("cell", { name: "control-room" }).waitFor();
  });

  it("tell what an account may do by its roles too", async () => {
    const { accounts } = t.bridge.parts;
    const live = {
      right: "live",
      cameras: new Set<string>(),
      groups: new Set(["outside"]),
      interfaces: "any",
    } as const;
    const [hidden, ptz] = [{ ...live, right: "talk", deny: true } as const, { ...live, right: "ptz" } as const];
    await accounts.setPart("group", "outside", { name: "Outside", cameras: ["gate"] });
    await accounts.setPart("role", "guards", { name: "Guards", grants: [live, ptz, { ...live, until: LATER }] });
    const { account } = await accounts.createIntegration({ name: "guard-room", grants: [hidden] });
    await accounts.change(account.id, { roles: ["guards"] });
    await page.reload();
    const row = page.getByRole("row").filter({ hasText: "guard-room" });
    await row.getByRole("cell", { name: "guards", exact: true }).waitFor();
    const cells = ["guard-room", "external system", "guards", "gate", "–", "–", "–", "–", "ptz; with limits"];
    expect((await row.getByRole("cell").allTextContents()).slice(0, -1)).to.deep.equal(cells);
    await window.picture("accounts");
  });

  it("show who did what, and what of it was refused, with all that the log has of an entry", async () => {
    await page.getByRole("link", { name: "Audit" }).click();
    const rows = page.getByRole("row");
    await rows.filter({ hasText: "adopt-camera" }).first().waitFor();
    await window.picture("audit");
    await page.getByLabel("Outcome").selectOption("failed");
    await page.getByRole("button", { name: "Search", exact: true }).click();
    await rows.filter({ hasText: "allowed" }).first().waitFor({ state: "detached" });
    await rows.filter({ hasText: "set-up" }).getByRole("button").first().click();
    await page.getByText('"prev": "').waitFor();
    await window.picture("audit-entry");
    await page.getByLabel("Account").fill("nobody");
    await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.getByText("Nothing in the audit log is like this").waitFor();
    await window.picture("audit-empty");
    await page.getByLabel("Any text").fill("x".repeat(300));
    await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.getByRole("alert").filter({ hasText: "Text" }).waitFor();
    await page.getByRole("link", { name: "Accounts" }).click();
  });

  it("ask once more for what they only read where the network dropped it, and never for a change", async () => {
    const dropped: string[] = [];
    await page.route(/\/api\//, async (route) => {
      const { pathname } = new URL(route.request().url());
      const asked = `${route.request().method()} ${pathname}`;
      if (asked === "GET /api/audit" && dropped.includes(asked)) return route.continue();
      dropped.push(asked);
      return route.abort("internetdisconnected");
    });
    await page.getByRole("link", { name: "Audit" }).click();
    await page.getByRole("row").filter({ hasText: "adopt-camera" }).first().waitFor();
    expect(dropped.filter((asked) => asked === "GET /api/audit")).to.have.length(1);
    await page.unroute(/\/api\//);
    await page.getByRole("link", { name: "Accounts" }).click();
    await page.getByRole("button", { name: "Add a person…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("nobody");
    await dialog.getByLabel("Password").fill("four other random words");
    let changes = 0;
    await page.route(/\/api\//, (route) => {
      if (route.request().method() === "GET") return route.continue();
      changes += 1;
      return route.abort("internetdisconnected");
    });
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await dialog.getByRole("alert").filter({ hasText: "The bridge does not answer." }).waitFor();
    expect(changes).to.equal(1);
    await page.unroute(/\/api\//);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  });

  it("change the password of whoever is logged in, and give somebody else another one", async () => {
    const dialog = page.getByRole("dialog");
    await window.account("Password");
    await dialog.getByLabel("Present password").fill("not the password");
    await dialog.getByLabel("New password").fill(ADMIN.next);
    await dialog.getByRole("button", { name: "Change" }).click();
    await dialog.getByRole("alert").filter({ hasText: /./ }).waitFor();
    await window.picture("password");
    await dialog.getByLabel("Present password").fill(ADMIN.password);
    await dialog.getByRole("button", { name: "Change" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Accounts" }).click();
    await page.getByRole("button", { name: "Add a person…" }).click();
    await dialog.getByLabel("Name").fill("grace");
    await dialog.getByLabel("Password").fill("four other random words");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    const row = page.getByRole("row").filter({ hasText: "grace" });
    await row.getByRole("button", { name: "Password…" }).click();
    await dialog.getByLabel("New password").fill("five random words for grace");
    // Nobody is at hand who would choose another one.
    await dialog.getByLabel("They choose another one at the next log-in").uncheck();
    await window.picture("password-of");
    await dialog.getByRole("button", { name: "Set" }).click();
    await dialog.waitFor({ state: "detached" });
    const peerOfTest = { address: "192.0.2.1", port: 1, tls: true };
    expect((await t.bridge.parts.accounts.logIn("grace", "five random words for grace", peerOfTest)).name).to.equal(
      "grace",
    );
    const system = page.getByRole("row").filter({ hasText: "control-room" });
    await system.getByRole("button", { name: "Secret…" }).click();
    await dialog.getByRole("button", { name: "Make" }).click();
    expect(await dialog.locator("code").first().textContent()).to.match(/^\w{20}$/);
    await dialog.getByRole("button", { name: "Done" }).click();
    await row.getByRole("button", { name: "Delete…" }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await row.waitFor({ state: "detached" });
    await page.locator("details.account summary").click();
    await window.picture("account-menu");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Log out" }).waitFor({ state: "hidden" });
  });

  it("set up a second factor, ask for it at the next log-in, and remove it", async () => {
    await window.account("Second factor");
    await page.getByLabel("Your password").fill(ADMIN.next);
    await page.getByRole("button", { name: "Go on" }).click();
    const code = page.getByLabel("Code that it shows now");
    await code.waitFor();
    const secret = (await page.getByRole("dialog").locator("code").textContent()) ?? "";
    await window.picture("second-factor");
    await code.fill(codeFor(secret, systemClock.now()));
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("dialog", { name: "Keep these recovery codes" }).waitFor();
    const [first = "", second = ""] = await page.getByRole("dialog").locator("li code").allTextContents();
    await window.picture("recovery-codes");
    await page.getByRole("button", { name: "I have kept them" }).click();
    await window.account("Log out");
    await window.logIn(ADMIN.name, ADMIN.next);
    await page.getByLabel(/recovery code/).fill(first);
    await window.picture("log-in-code");
    await page.getByRole("button", { name: "Log in" }).click();
    await window.account("Second factor");
    await page.getByLabel(/recovery code/).fill(second);
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Accounts" }).click();
  });

  it("are worked by keyboard alone", async () => {
    await page.getByRole("link", { name: "Cameras" }).focus();
    await page.keyboard.press("Enter");
    const row = page.getByRole("button", { name: /Gate/ });
    await row.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Remove…" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });

  it("raise no error on the way", () => {
    expect(window.troubles).to.deep.equal([]);
  });
});

/** Runs in the page: writes down that a scan is told to be running, which it may be no longer when somebody looks from outside. */
function noteScan(): void {
  const page = globalThis as unknown as PageWindow;
  new page.MutationObserver(() => {
    if (page.document.querySelector('[role="status"]') !== null) page.sawScan = true;
  }).observe(page.document.body, { childList: true, subtree: true });
}
