import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import type { Locator, Page } from "playwright-core";
import { systemClock } from "../../base/clock.ts";
import { Secret } from "../../base/secret.ts";
import { isoOf, SECOND, unixMillis } from "../../base/units.ts";
import type { BridgedCamera } from "../../bridge/camera.ts";
import { createDepacketizer } from "../../media/depacketizer.ts";
import { CAMERA_LOGIN, eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { framesOf } from "../support/frame-code.ts";
import { type Peer, peer } from "../support/peer.ts";

const [WIDTH, HEIGHT] = [640, 360];
const GUARD = { name: "guard", password: "correct horse battery" };

/** What is asked of the page's elements. The DOM's own types would hold for all our code, which has no DOM. */
interface Shown {
  readonly videoWidth: number;
  readonly seeking: boolean;
  readonly currentTime: number;
  readonly buffered: { readonly length: number; end(index: number): number };
  readonly ownerDocument: { createElement(name: "canvas"): Canvas };
}
interface Canvas {
  width: number;
  height: number;
  getContext(kind: "2d"): {
    drawImage(of: unknown, x: number, y: number, width: number, height: number): void;
    getImageData(x: number, y: number, w: number, h: number): { readonly data: ArrayLike<number> };
  };
}

describe("recordings in Chromium", () => {
  let t: TestBridge;
  let window: BrowserWindow;
  let page: Page;
  let ffmpeg: Peer;
  let camera: BridgedCamera;
  let yard = "";
  /** Requests for thumbnails that the page has made, their answers, and the most that were under way at once. */
  let keyFrames = { asked: 0, told: 0, most: 0 };

  before(async function () {
    const chromium = peer(this, "chromium");
    ffmpeg = peer(this, "ffmpeg");
    t = await startTestBridge();
    const id = await t.adopt(await t.camera({ name: "Gate", card: true }));
    yard = await t.adopt(await t.camera({ name: "Yard" }));
    const { accounts, watch } = t.bridge.parts;
    await t.administrator(GUARD.password);
    await accounts.createPerson({
      name: GUARD.name,
      password: new Secret(GUARD.password),
      grants: (["playback", "bookmark", "events", "fetch"] as const).map((right) => ({
        right,
        cameras: "any",
        interfaces: "any",
      })),
    });
    camera = watch.all().find(({ info }) => info.id === id) as BridgedCamera;
    await eventually(async () => {
      const extent = await camera.recorded.extent();
      return extent !== undefined && extent.to - extent.from > 10_000;
    });
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
    ({ page } = window);
    page.on("websocket", (socket) => {
      if (!socket.url().includes("/api/playback/")) return;
      // Of this connection alone: what a page that is left had asked for is never answered.
      const counted = { asked: 0, told: 0, most: 0 };
      keyFrames = counted;
      socket.on("framesent", ({ payload }) => {
        if (!String(payload).includes('"key-frame"')) return;
        counted.asked += 1;
        counted.most = Math.max(counted.most, counted.asked - counted.told);
      });
      socket.on("framereceived", ({ payload }) => {
        if (String(payload).includes('key-frame"')) counted.told += 1;
      });
    });
    await window.logIn(GUARD.name, GUARD.password);
    await page.getByRole("link", { name: "Playback" }).click();
  });
  after(async () => {
    await window?.close();
    await t?.close();
  });

  const first = () => page.locator(".players .picture").first();
  /** The instant that the page says, once the picture stands still. */
  const instant = async (): Promise<number> => {
    const video = first().locator("video:not([hidden])");
    await first().and(page.locator('[data-state="showing"]')).waitFor();
    const shown = async (): Promise<number> => {
      const said = Number(await page.locator(".instant").getAttribute("data-instant"));
      const { seeking, currentTime } = await video.evaluate((element) => {
        const { seeking, currentTime } = element as unknown as Shown;
        return { seeking, currentTime };
      });
      return !seeking && Math.abs(currentTime * 1000 - said) < 5 ? said : Number.NaN;
    };
    let said = Number.NaN;
    await eventually(async () => {
      said = await shown();
      return !Number.isNaN(said);
    });
    return said;
  };
  /** The number that the camera burnt into the picture which the browser shows, in large or small. */
  const number = async (shown: Locator = first().locator("video:not([hidden])")): Promise<number> => {
    const gray = await shown.evaluate((element) => {
      const video = element as unknown as Shown;
      const canvas = video.ownerDocument.createElement("canvas");
      [canvas.width, canvas.height] = [640, 360];
      const pen = canvas.getContext("2d");
      pen.drawImage(video, 0, 0, 640, 360);
      return Array.from(pen.getImageData(0, 320, 640, 32).data).filter((_, index) => index % 4 === 1);
    });
    // The number stands in the two last whole rows of macroblocks; the rest of the picture is not fetched.
    const frame = Buffer.alloc(WIDTH * HEIGHT);
    frame.set(gray, 320 * WIDTH);
    return framesOf(frame, WIDTH, HEIGHT)[0] ?? -1;
  };
  /** The same while it is played, where there is none yet when another run has just begun. */
  const numberPlayed = (): Promise<number> => number().catch(() => Number.NaN);
  /** The number in the picture of that instant, by ffmpeg. */
  const recordedNumber = async (at: number): Promise<number> => {
    const [track] = await camera.recorded.tracks(unixMillis(at));
    const depacketizer = track && createDepacketizer(track);
    const units: Buffer[] = [];
    let last = Number.NaN;
    const { signal } = new AbortController();
    for await (const group of camera.recorded.read({ from: unixMillis(at), to: unixMillis(at + 1) }, signal))
      for (const sample of group.track === 0 ? (depacketizer?.push(group) ?? []) : []) {
        units.push(annexB(sample.data));
        last = sample.at;
      }
    expect(last).to.be.closeTo(at, 0.01);
    const child = spawn(ffmpeg.program, [
      "-v",
      "error",
      "-f",
      "h264",
      "-i",
      "-",
      "-f",
      "rawvideo",
      "-pix_fmt",
      "gray",
      "-",
    ]);
    const out: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stdin.end(Buffer.concat(units));
    await once(child, "close");
    return framesOf(Buffer.concat(out), WIDTH, HEIGHT).at(-1) ?? -2;
  };
  const goTo = async (at: number): Promise<void> => {
    await page.goto(`${new URL(page.url()).origin}/playback?camera=${camera.info.id}&at=${new Date(at).toISOString()}`);
  };
  const step = (name: "One picture on" | "One picture back"): Promise<void> =>
    page.getByRole("button", { name }).click();
  /** Until the page has what comes behind an instant: it steps on to no picture that it does not know yet. */
  const isRead = (until: number): Promise<void> =>
    eventually(() =>
      first()
        .locator("video:not([hidden])")
        .evaluate((element, end) => {
          const { buffered } = element as unknown as Shown;
          return buffered.length > 0 && buffered.end(buffered.length - 1) * 1000 > end;
        }, until),
    );

  it("show the picture of exactly the instant that is asked for", async () => {
    const { from = 0 } = (await camera.recorded.extent()) ?? {};
    for (const offset of [2345, 7890]) {
      await goTo(from + offset);
      const at = await instant();
      expect(from + offset - at, "the last picture before it").to.be.within(0, 1000 / 14);
      expect(await number()).to.equal(await recordedNumber(at));
    }
    await window.picture("playback");
  });

  it("show in small what is pointed at, with mouse and keys, and why there is nothing", async () => {
    const { from = 0 } = (await camera.recorded.extent()) ?? {};
    await goTo(from + 4000);
    await instant();
    const timeline = page.getByLabel("Timeline");
    const preview = page.locator(".preview");
    // Until ten seconds are in sight, with the instant in their middle.
    await timeline.focus();
    for (let count = 0; count < 9; count += 1) await page.keyboard.press("+");
    const { x = 0, y = 0, width = 1 } = (await timeline.boundingBox()) ?? {};
    const view = async (): Promise<readonly [number, number]> => {
      const read = (name: string) => timeline.getAttribute(name).then(Number);
      return [await read("aria-valuemin"), await read("aria-valuemax")];
    };
    const [begin, end] = await view();
    for (const at of [from + 6400, from + 3100]) {
      await page.mouse.move(x + ((at - begin) / (end - begin)) * width, y + 100);
      await preview.and(page.locator('[data-state="showing"]')).waitFor();
      await eventually(async () => {
        const shown = Number(await preview.getAttribute("data-instant"));
        return at - shown >= 0 && at - shown < 3500;
      });
      const shown = Number(await preview.getAttribute("data-instant"));
      expect(await number(preview.locator("canvas"))).to.equal(await recordedNumber(shown));
    }
    await window.picture("playback-thumbnails");
    // A sweep over the timeline is no storm of requests: one at a time, and what was passed over is not asked for.
    const { asked } = keyFrames;
    await page.mouse.move(x + width - 5, y + 100, { steps: 80 });
    await eventually(() => keyFrames.told === keyFrames.asked);
    expect([keyFrames.most, keyFrames.asked - asked <= 12], JSON.stringify(keyFrames)).to.deep.equal([1, true]);
    await page.mouse.move(x + ((from - 500 - begin) / (end - begin)) * width, y + 100);
    await preview.getByText("Nothing is recorded that early").waitFor();
    await page.mouse.move(0, 0);
    await preview.waitFor({ state: "detached" });
    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Shift+ArrowRight");
    await preview.and(page.locator('[data-state="showing"]')).waitFor();
    await page.keyboard.press("Enter");
    const stepped = 2 * ((end - begin) / 60);
    await eventually(async () => Math.abs((await instant()) - (from + 4000 + stepped)) < 100);
    await page.keyboard.press("Escape");
    await preview.waitFor({ state: "detached" });
    await page.getByLabel("Thumbnails").uncheck();
    await page.mouse.move(x + width / 2, y + 40);
    expect(await preview.count()).to.equal(0);
  });

  it("go on and back by one picture, also over a key frame", async () => {
    const begin = await number();
    const at = await instant();
    await isRead(at + 500);
    for (let count = 1; count <= 3; count += 1) {
      await step("One picture on");
      // The page says so with its next frame.
      await eventually(async () => (await instant()) > at + (count * 1000) / 15 - 20);
      expect(await number()).to.equal(begin + count);
    }
    for (let count = 2; count >= -12; count -= 1) {
      await step("One picture back");
      await eventually(async () => (await instant()) < at + (count * 1000) / 15 + 20);
      expect(await number()).to.equal(begin + count);
    }
  });

  it("play at the speed that is chosen, and backwards", async () => {
    const begin = await number();
    await page.getByRole("button", { name: "Play" }).click();
    await eventually(async () => (await numberPlayed()) > begin + 15);
    await page.getByLabel("Speed").selectOption("4×");
    await eventually(async () => (await numberPlayed()) > begin + 40);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Play" }).waitFor();
    const paused = await instant();
    expect(await number()).to.equal(await recordedNumber(paused));
    await page.getByLabel("Speed").selectOption("4× back");
    await page.getByRole("button", { name: "Play" }).click();
    await eventually(async () => (await numberPlayed()) < begin + 10);
    // Nothing is older: there it stops by itself, however busy the machine.
    await page.getByRole("button", { name: "Play" }).waitFor();
    const stopped = await instant();
    expect(await number()).to.equal(await recordedNumber(stopped));
  });

  it("show when something happened, and keep bookmarks, which lead back to it", async () => {
    const oldest = await instant();
    await page.getByRole("button", { name: "Newest" }).click();
    await eventually(async () => (await instant()) > oldest);
    const at = unixMillis(await instant());
    const event = { camera: camera.info.id, at, kind: "motion", about: "test", property: false, content: "<a/>" };
    await t.bridge.parts.archive.journal.enter([event]);
    const orange = (): Promise<number> =>
      page.getByLabel("Timeline").evaluate((element) => {
        const canvas = element as unknown as Canvas;
        const data = Array.from(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data);
        return data.filter((red, index) => index % 4 === 0 && red > 140 && data[index + 2] === 0).length;
      });
    const before = await orange();
    await page.getByRole("button", { name: "Bookmark…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("What is to be seen").fill("a red car");
    await dialog.getByRole("button", { name: "Bookmark" }).click();
    const row = page.getByRole("row").filter({ hasText: "a red car" });
    await row.waitFor();
    await eventually(async () => (await orange()) > before);
    await window.picture("playback-bookmarks");
    await row.getByRole("button").first().click();
    await eventually(async () => Math.abs((await instant()) - (at - 10_000)) < 1500);
    await row.getByRole("button", { name: "Remove…" }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await row.waitFor({ state: "detached" });
    expect(await page.getByRole("button", { name: "Lock…" }).count()).to.equal(0);
  });

  it("show several cameras at the same instant", async () => {
    await page.getByRole("button", { name: "Yard" }).click();
    await page.getByRole("button", { name: "Newest" }).click();
    await page.getByLabel("Timeline").focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowRight");
    const videos = page.locator('.players .picture[data-state="showing"] video:not([hidden])');
    await videos.nth(1).waitFor();
    await eventually(async () => {
      const times = await videos.evaluateAll((all) => all.map((one) => (one as unknown as Shown).currentTime));
      const said = Number(await page.locator(".instant").getAttribute("data-instant")) / 1000;
      return times.length === 2 && times.every((time) => Math.abs(time - said) < 1 / 14);
    });
    await window.picture("playback-two");
  });

  it("are fetched from the camera's own where they are missing, at a button, and shown then", async () => {
    const { discovery, archive, watch } = t.bridge.parts;
    const both = [camera.info.id, yard];
    const set = async (mode: "off" | "continuous"): Promise<void> => {
      for (const id of both) await discovery.setRecording(id, "main", { mode });
    };
    const isRecording = (): boolean => watch.all().every(({ info }) => info.recording);
    await set("off");
    await eventually(() => watch.all().every(({ info }) => !info.recording));
    const off = systemClock.now();
    await systemClock.sleep(6 * SECOND);
    await set("continuous");
    await eventually(isRecording);
    const at = unixMillis(off + 3 * SECOND);
    const query = new URLSearchParams({ camera: both.join(","), at: isoOf(at) });
    await page.goto(`${new URL(page.url()).origin}/playback?${query.toString()}`);
    const missing = (name: string) => page.getByLabel(`What is missing of ${name}`);
    const fetch = (name: string) => missing(name).getByRole("button", { name: "Fetch from the camera" });
    await missing("Gate").getByText("not recorded here").waitFor();
    await window.picture("playback-missing");
    await fetch("Gate").click();
    await missing("Gate").getByText("Gate: was fetched from the camera's own recording.").waitFor();
    await fetch("Yard").click();
    await missing("Yard").getByText("the camera has nothing of it: the camera has no recordings of its own").waitFor();
    await window.picture("playback-fetched");
    expect(await archive.fetchedSpans(camera.info.id, at, unixMillis(at + 1))).to.have.length(1);
    await page.getByRole("button", { name: "Yard", exact: true }).click();
    const shown = await instant();
    expect(at - shown).to.be.within(0, 1000 / 14);
    expect(await number()).to.equal(await recordedNumber(shown));
    // What became of one stretch is not said of another.
    await page.getByRole("button", { name: "Newest" }).click();
    await missing("Gate").waitFor({ state: "detached" });
  });

  it("are those of the stream that is recorded, and are fetched of that one, where it is a sub-stream alone", async () => {
    const { discovery, archive, watch } = t.bridge.parts;
    const { hostname } = new URL((await t.camera({ name: "Side", card: "both" })).deviceUrl);
    await discovery.startScan([hostname]);
    const find = discovery.list().find(({ ip }) => ip === hostname)?.id ?? "";
    const choice = { credentials: CAMERA_LOGIN, plainText: true, recording: { mode: "off" } } as const;
    const { id } = await discovery.adopt({ find }, choice);
    const become = async (mode: "off" | "continuous", state: string): Promise<void> => {
      await discovery.setRecording(id, "sub", { mode });
      const side = (): BridgedCamera | undefined => watch.all().find(({ info }) => info.id === id);
      await eventually(() => side()?.info.streams.find(({ name }) => name === "sub")?.recording.state === state);
    };
    await become("continuous", "recording");
    await systemClock.sleep(3 * SECOND);
    await become("off", "off");
    const at = unixMillis(systemClock.now() + 3 * SECOND);
    await systemClock.sleep(6 * SECOND);
    await become("continuous", "recording");
    const query = new URLSearchParams({ camera: id, at: isoOf(at) });
    await page.goto(`${new URL(page.url()).origin}/playback?${query.toString()}`);
    const missing = page.getByLabel("What is missing of Side, sub-stream");
    await missing.getByRole("button", { name: "Fetch from the camera" }).click();
    await missing.getByText("Side, sub-stream: was fetched from the camera's own recording.").waitFor();
    expect(await archive.fetchedSpans(id, at, unixMillis(at + 1), "sub")).to.have.length(1);
    expect(at - (await instant())).to.be.within(0, 1000 / 7);
  });

  it("say where nothing is recorded", async () => {
    await goTo(Date.UTC(2020, 0, 1));
    await page.getByText("Nothing is recorded that early, or nothing that you may play.").waitFor();
    await window.picture("playback-nothing");
  });

  it("end when the right does, and say so", async () => {
    const { from = 0 } = (await camera.recorded.extent()) ?? {};
    await goTo(from + 3000);
    await instant();
    const { accounts } = t.bridge.parts;
    const id = accounts.list().find(({ name }) => name === GUARD.name)?.id ?? "";
    await accounts.change(id, { grants: [{ right: "live", cameras: "any", interfaces: "any" }] });
    await page.getByText("Your right to play this recording has ended.").waitFor();
    expect(
      await first()
        .locator("video:not([hidden])")
        .evaluate((element) => (element as unknown as Shown).videoWidth),
    ).to.equal(0);
    await page.reload();
    await page.getByRole("link", { name: "Cameras" }).waitFor();
    expect(await page.getByRole("link", { name: "Playback" }).count()).to.equal(0);
  });

  it("raise no error on the way", () => {
    expect(window.troubles).to.deep.equal([]);
  });
});

/** NAL units behind start codes instead of their lengths. */
function annexB(sample: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < sample.length; ) {
    const length = sample.readUInt32BE(at);
    parts.push(Buffer.of(0, 0, 0, 1), sample.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return Buffer.concat(parts);
}
