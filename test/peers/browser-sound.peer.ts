import { expect } from "chai";
import type { CameraRight } from "../../auth/right.ts";
import { Secret } from "../../base/secret.ts";
import { isoOf, later } from "../../base/units.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { GST_LOGIN, type GstCamera, startGstCamera } from "../support/gst-camera.ts";
import { peer } from "../support/peer.ts";

const GUARD = { name: "guard", password: "correct horse battery" };

/** Of the pieces of a second, that follow the one before: a page on a busy machine comes too late for some. */
const FOLLOWING = 0.8;

/** A piece of sound that a page has given to the browser to play. */
interface Played {
  /** Seconds on the browser's clock of what is heard. */
  readonly begin: number;
  readonly seconds: number;
  readonly peak: number;
}

/** What of Web Audio is looked at. The DOM's own types would hold for all our code, which has no DOM. */
interface Source {
  readonly buffer: { readonly duration: number; getChannelData(channel: number): Float32Array } | null;
}
interface Video {
  readonly currentTime: number;
  readonly playbackRate: number;
}
interface Page {
  played: Played[];
  readonly AudioBufferSourceNode: { readonly prototype: { start(this: Source, when?: number): void } };
}

describe("the sound of a camera, in Chromium", () => {
  let t: TestBridge;
  let gst: GstCamera;
  let window: BrowserWindow;

  before(async function () {
    const chromium = peer(this, "chromium");
    t = await startTestBridge();
    gst = await startGstCamera(this, { auth: true, address: t.cameraAddress() });
    await t.adopt(await t.camera({ name: "Gate", audio: true }));
    await t.bridge.parts.discovery.adopt(
      { rtsp: gst.url("h264aac").href },
      { name: "Hall", credentials: GST_LOGIN, plainText: true },
    );
    await t.bridge.parts.discovery.adopt(
      { rtsp: gst.url("mjpeg").href },
      { name: "Roof", credentials: GST_LOGIN, plainText: true },
    );
    await t.administrator(GUARD.password);
    await t.bridge.parts.accounts.createPerson({ name: GUARD.name, password: new Secret(GUARD.password), grants: [] });
    await grant("live", "playback", "audio");
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
    await window.page.evaluate(listen);
    await window.logIn(GUARD.name, GUARD.password);
  });
  after(async () => {
    await window?.close();
    await gst?.close();
    await t?.close();
  });

  const grant = (...rights: readonly CameraRight[]): Promise<unknown> => {
    const { accounts } = t.bridge.parts;
    const id = accounts.list().find(({ name }) => name === GUARD.name)?.id ?? "";
    return accounts.change(id, { grants: rights.map((right) => ({ right, cameras: "any", interfaces: "any" })) });
  };
  const sound = () => window.page.getByRole("button", { name: "Sound" });
  const played = (): Promise<readonly Played[]> =>
    window.page.evaluate(() => (globalThis as unknown as Page).played.splice(0));
  const choose = async (name: string): Promise<void> => {
    await window.page.getByRole("button", { name: new RegExp(name) }).click();
    await window.page.locator('.picture[data-state="playing"]').waitFor();
  };

  it("is silent until somebody asks for it, and then beeps once a second, without a break", async () => {
    await choose("Gate");
    expect(await sound().getAttribute("aria-pressed")).to.equal("false");
    expect(await played()).to.deep.equal([]);
    await sound().click();
    const all: Played[] = [];
    await eventually(async () => {
      all.push(...(await played()));
      return isBeepingEachSecond(all, FOLLOWING);
    });
    await window.picture("sound");
  });

  it("is silent again when it is switched off", async () => {
    await sound().click();
    expect(await sound().getAttribute("aria-pressed")).to.equal("false");
    await eventually(() => (t.bridge.parts.watch.all()[0]?.streams[0].info.readers ?? 0) === 2);
    await played();
    await window.page.locator("video").evaluate((video) => {
      const { currentTime } = video as unknown as { currentTime: number };
      return new Promise<void>((resolve) => {
        const look = (): void => {
          if ((video as unknown as { currentTime: number }).currentTime > currentTime + 1) resolve();
          else setTimeout(look, 50);
        };
        look();
      });
    });
    expect(await played()).to.deep.equal([]);
  });

  it("is heard with a recording while that is played as fast as it was captured, and at no other time", async () => {
    const { page } = window;
    const [gate] = t.bridge.parts.watch.all();
    const extent = () => gate?.recorded.extent();
    await eventually(async () => {
      const there = await extent();
      return there !== undefined && there.to - there.from > 8000;
    });
    await page.getByRole("link", { name: "Playback" }).click();
    await page.getByRole("button", { name: "Newest" }).waitFor();
    const { from } = (await extent()) ?? expect.fail("nothing is recorded");
    await page.goto(`/playback?camera=gate&at=${isoOf(later(from, 1000))}`);
    await page.evaluate(listen);
    await page.locator('.players .picture[data-state="showing"]').waitFor();
    await sound().click();
    expect(await played(), "while it stands still").to.deep.equal([]);
    const play = page.getByRole("button", { name: "Play", exact: true });
    await play.click();
    const all: Played[] = [];
    await eventually(async () => {
      all.push(...(await played()));
      return isBeepingEachSecond(all);
    });
    await window.picture("recorded-sound");
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByLabel("Speed").selectOption("2");
    await eventually(async () => (await played()).length === 0);
    await play.click();
    const video = (): Promise<Video> =>
      page.locator("video:not([hidden])").evaluate((element) => {
        const { currentTime, playbackRate } = element as unknown as Video;
        return { currentTime, playbackRate };
      });
    await eventually(async () => (await video()).playbackRate > 1.5);
    await played();
    const { currentTime } = await video();
    await eventually(async () => (await video()).currentTime > currentTime + 1);
    expect(await played(), "at twice the speed").to.deep.equal([]);
    await page.getByRole("link", { name: "Cameras" }).click();
  });

  it("is decoded by the browser where it is AAC", async () => {
    await choose("Hall");
    await sound().click();
    await eventually(async () => (await played()).some(({ peak }) => peak > 0.01));
  });

  it("ends with the right to it, and leaves the picture", async () => {
    const [, hall] = t.bridge.parts.watch.all();
    await eventually(() => hall?.streams[0].info.readers === 3);
    await grant("live");
    await eventually(() => hall?.streams[0].info.readers === 2);
    await eventually(async () => (await sound().count()) === 0);
    await window.page.locator('.picture[data-state="playing"]').waitFor();
  });

  it("cannot be asked for where a camera has none", async () => {
    await choose("Roof");
    expect(await sound().count()).to.equal(0);
    expect(window.troubles).to.deep.equal([]);
  });
});

/** Two beeps, a second apart on the clock of what is heard, and from one to the other at least such a share of pieces that follow the one before. */
function isBeepingEachSecond(all: readonly Played[], share = 0): boolean {
  const beeps = all.flatMap(({ peak }, index) => (peak > 0.2 && (all[index - 1]?.peak ?? 0) < 0.2 ? [index] : []));
  return beeps.some((to, index) => {
    const from = beeps[index - 1];
    if (from === undefined || Math.abs((all[to]?.begin ?? 0) - (all[from]?.begin ?? 0) - 1) >= 0.1) return false;
    const pieces = all.slice(from, to + 1);
    const followed = pieces.filter(({ begin }, at) => {
      const before = pieces[at - 1];
      return before !== undefined && Math.abs(before.begin + before.seconds - begin) < 0.001;
    });
    return followed.length / (pieces.length - 1) >= share;
  });
}

/** Runs in the page: writes down what is given to the browser to play. */
function listen(): void {
  const page = globalThis as unknown as Page;
  page.played = [];
  const { prototype } = page.AudioBufferSourceNode;
  const start = Reflect.get<typeof prototype, "start">(prototype, "start");
  prototype.start = function (this: Source, begin = 0): void {
    const samples = this.buffer?.getChannelData(0) ?? new Float32Array();
    const peak = samples.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
    page.played.push({ begin, seconds: this.buffer?.duration ?? 0, peak });
    start.call(this, begin);
  };
}
