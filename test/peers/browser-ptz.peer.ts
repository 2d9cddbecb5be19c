import { expect } from "chai";
import type { Page } from "playwright-core";
import { Secret } from "../../base/secret.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import type { Motion } from "../../sim/motion.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { peer } from "../support/peer.ts";

const GUARD = { name: "guard", password: "correct horse battery" };

describe("moving a camera in Chromium", () => {
  let t: TestBridge;
  let window: BrowserWindow;
  let page: Page;
  let sim: SimCamera;
  let motion: Motion;

  before(async function () {
    const chromium = peer(this, "chromium");
    t = await startTestBridge();
    sim = await t.camera({ name: "Dome", controls: true });
    motion = sim.motion as Motion;
    const id = await t.adopt(sim);
    await t.adopt(await t.camera({ name: "Gate" }));
    const { accounts, watch } = t.bridge.parts;
    await t.administrator(GUARD.password);
    await accounts.createPerson({
      name: GUARD.name,
      password: new Secret(GUARD.password),
      grants: (["live", "ptz", "presets"] as const).map((right) => ({ right, cameras: "any", interfaces: "any" })),
    });
    await eventually(() => watch.all().find(({ info }) => info.id === id)?.control.controls.ptz !== undefined);
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
    ({ page } = window);
    await window.logIn(GUARD.name, GUARD.password);
    await page.getByRole("button", { name: /Dome/ }).click();
    await page.locator('.picture[data-state="playing"]').waitFor();
  });
  after(async () => {
    await window?.close();
    await t?.close();
  });

  const pad = () => page.getByRole("group", { name: "Turn and zoom" });
  const button = (name: string) => pad().getByRole("button", { name, exact: true });
  const guard = (): string => t.bridge.parts.accounts.list().find(({ name }) => name === GUARD.name)?.id ?? "";
  const grant = (...rights: readonly ("live" | "ptz" | "presets")[]): Promise<unknown> =>
    t.bridge.parts.accounts.change(guard(), {
      grants: rights.map((right) => ({ right, cameras: "any", interfaces: "any" })),
    });
  /** Presses the button and keeps it down. */
  const press = async (name: string): Promise<void> => {
    await button(name).hover();
    await page.mouse.down();
  };

  it("turns it while a button is held, as fast as is chosen, and stops it when it is let go", async () => {
    await page.getByLabel("Speed").fill("10");
    await press("Right");
    await eventually(() => motion.position.pan > 0.1);
    expect(motion.position).to.include({ tilt: 0, zoom: 0 });
    await page.mouse.up();
    await eventually(() => !motion.moving);
    const { pan } = motion.position;
    // At a third of its speed, further than it goes in the three seconds for which the bridge lets it go on by itself.
    await page.getByLabel("Speed").fill("3");
    await press("Down and left");
    await eventually(() => motion.position.tilt < -0.6);
    expect(motion.position.pan).to.be.below(pan);
    await page.mouse.up();
    await eventually(() => !motion.moving);
    await page.getByLabel("Speed").fill("10");
  });

  it("turns and zooms it by keys, several of them at once", async () => {
    await button("Up").focus();
    await page.keyboard.down("ArrowUp");
    await page.keyboard.down("+");
    const { tilt } = motion.position;
    await eventually(() => motion.position.zoom > 0.05 && motion.position.tilt > tilt);
    await page.keyboard.up("ArrowUp");
    await page.keyboard.up("+");
    await eventually(() => !motion.moving);
    await button("Zoom out").focus();
    await page.keyboard.down("Enter");
    await eventually(() => motion.position.zoom === 0);
    await page.keyboard.up("Enter");
    await eventually(() => !motion.moving);
  });

  it("stops it when the window no longer has the attention, or the focus goes elsewhere", async () => {
    await press("Left");
    await eventually(() => motion.moving);
    await page.evaluate("window.dispatchEvent(new Event('blur'))");
    await eventually(() => !motion.moving);
    await page.mouse.up();
    await button("Up").focus();
    await page.keyboard.down("ArrowDown");
    await eventually(() => motion.moving);
    await page.getByLabel("Speed").focus();
    await eventually(() => !motion.moving);
    await page.keyboard.up("ArrowDown");
  });

  it("keeps presets, goes to them and home, and forgets them", async () => {
    const dialog = page.getByRole("dialog");
    await page.getByText("No presets are kept yet.").waitFor();
    await page.getByRole("button", { name: "Go to home" }).click();
    await eventually(() => motion.position.pan === 0);
    await page.getByRole("button", { name: "Keep this view…" }).click();
    await dialog.getByLabel("Name").fill("Gate in the north");
    await dialog.getByRole("button", { name: "Keep", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    await press("Right");
    await eventually(() => motion.position.pan > 0.2);
    await page.mouse.up();
    await eventually(() => !motion.moving);
    await window.picture("ptz");
    await page.getByRole("button", { name: "Go to Gate in the north" }).click();
    await page.getByText("On its way to Gate in the north.").waitFor();
    expect(motion.position.pan).to.equal(0);
    await page.getByRole("button", { name: "Remove Gate in the north" }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await page.getByText("No presets are kept yet.").waitFor();
    expect(motion.presets.size).to.equal(0);
  });

  it("says why it does not move", async () => {
    const other = await t.bridge.parts.accounts.createPerson({
      name: "ada",
      password: new Secret(GUARD.password),
      grants: [{ right: "ptz", cameras: "any", interfaces: "any" }],
    });
    const { accounts, watch, ptzHolders } = t.bridge.parts;
    const [camera] = watch.all().filter(({ info }) => info.name === "Dome");
    const who = accounts.principalOf(other.id);
    if (camera === undefined || who === undefined) throw new Error("no camera or account");
    const take = (): boolean => {
      try {
        ptzHolders.take(who, camera, "ptz", { interface: "onvif", address: "192.0.2.1" });
        return true;
      } catch {
        return false;
      }
    };
    // The guard rests until somebody else may, who goes on for as long as the page takes.
    await eventually(take);
    const going = setInterval(take, 1000);
    await press("Up");
    await page
      .getByRole("alert")
      .filter({ hasText: "Somebody else is moving this camera" })
      .waitFor()
      .finally(() => clearInterval(going));
    await window.picture("ptz-busy");
    await page.mouse.up();
    expect(motion.moving).to.equal(false);
    await accounts.remove(other.id);
    await press("Up");
    await eventually(() => motion.moving);
    await page.mouse.up();
    await eventually(() => !motion.moving);
  });

  it("is stopped with the right to move it, and there are no buttons for who has none", async () => {
    await press("Left");
    await eventually(() => motion.moving);
    await grant("live", "presets");
    await eventually(() => !motion.moving);
    await page.mouse.up();
    await pad().waitFor({ state: "detached" });
    await page.getByRole("alert").filter({ hasText: "Your right to move this camera has ended" }).waitFor();
    await page.getByRole("button", { name: "Keep this view…" }).waitFor();
    await grant("live");
    await page.getByRole("region", { name: "Move the camera" }).waitFor({ state: "detached" });
    await grant("live", "ptz");
    await pad().waitFor();
    expect(await page.getByRole("button", { name: "Keep this view…" }).count()).to.equal(0);
    await page.getByRole("button", { name: /Gate/ }).click();
    await pad().waitFor({ state: "detached" });
    await page.getByRole("button", { name: /Dome/ }).click();
  });

  it("is stopped when the page is gone in the middle of it", async () => {
    await press("Down");
    await eventually(() => motion.moving);
    await page.close();
    await eventually(() => !motion.moving);
    expect(window.troubles).to.deep.equal([]);
  });
});
