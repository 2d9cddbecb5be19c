import { expect } from "chai";
import type { BridgedCamera } from "../../bridge/camera.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { GST_LOGIN, type GstCamera, startGstCamera } from "../support/gst-camera.ts";
import { peer } from "../support/peer.ts";

const PASSWORD = "correct horse battery";

/** What is asked of the page's canvas. The DOM's own types would hold for all our code, which has no DOM. */
interface Canvas {
  readonly width: number;
  readonly height: number;
  toDataURL(): string;
}

describe("a camera that sends MJPEG, in Chromium", () => {
  let t: TestBridge;
  let gst: GstCamera;
  let window: BrowserWindow;

  before(async function () {
    const chromium = peer(this, "chromium");
    t = await startTestBridge();
    gst = await startGstCamera(this, { auth: true, address: t.cameraAddress() });
    const target = { rtsp: gst.url("mjpeg").href };
    await t.bridge.parts.discovery.adopt(target, { name: "Hall", credentials: GST_LOGIN, plainText: true });
    await t.administrator(PASSWORD);
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
    await window.logIn("admin", PASSWORD);
  });
  after(async () => {
    await window?.close();
    await gst?.close();
    await t?.close();
  });

  it("is shown picture by picture", async () => {
    const { page } = window;
    await page.locator('.picture[data-state="playing"]').waitFor();
    const canvas = page.locator(".picture canvas");
    const size = await canvas.evaluate((element) => {
      const { width, height } = element as unknown as Canvas;
      return [width, height];
    });
    expect(size).to.deep.equal([320, 240]);
    const look = (): Promise<string> => canvas.evaluate((element) => (element as unknown as Canvas).toDataURL());
    const seen = new Set([await look()]);
    await eventually(async () => seen.add(await look()).size > 3);
    await window.picture("mjpeg");
    expect(window.troubles).to.deep.equal([]);
  });

  it("has thumbnails of its recordings, of which nothing else is shown", async () => {
    const { page } = window;
    const { recorded } = t.bridge.parts.watch.all()[0] as BridgedCamera;
    await eventually(async () => {
      const extent = await recorded.extent();
      return extent !== undefined && extent.to - extent.from > 1000;
    });
    await page.getByRole("link", { name: "Playback" }).click();
    await page.getByText("Browsers cannot show JPEG video.").waitFor();
    const timeline = page.getByLabel("Timeline");
    await timeline.focus();
    for (let count = 0; count < 9; count += 1) await page.keyboard.press("+");
    // A tenth of a second behind the beginning.
    await page.keyboard.press("Shift+ArrowRight");
    const preview = page.locator('.preview[data-state="showing"]');
    await preview.waitFor();
    const size = await preview.locator("canvas").evaluate((element) => {
      const { width, height } = element as unknown as Canvas;
      return [width, height];
    });
    expect(size).to.deep.equal([180, 135]);
    await window.picture("mjpeg-thumbnails");
    expect(window.troubles).to.deep.equal([]);
  });
});
