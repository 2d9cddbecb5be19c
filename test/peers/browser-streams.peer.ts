import { expect } from "chai";
import type { Page } from "playwright-core";
import { unixMillis } from "../../base/units.ts";
import type { Span } from "../../media/source.ts";
import { CAMERA_LOGIN, eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { recordH265 } from "../support/h265-recording.ts";
import { peer } from "../support/peer.ts";

const ADMIN = { name: "admin", password: "correct horse battery" };
/** Of the main stream; the sub-stream's is smaller. */
const WIDTH = 640;
/** Of a bar on the timeline, in CSS pixels. */
const [WHOLE, THIN] = [16, 6];

/** What is asked of the page's elements. The DOM's own types would hold for all our code, which has no DOM. */
interface Video {
  readonly videoWidth: number;
  readonly seeking: boolean;
  readonly currentTime: number;
  readonly buffered: { readonly length: number; end(index: number): number };
}
interface Canvas {
  readonly clientWidth: number;
  readonly width: number;
  readonly height: number;
  getContext(kind: "2d"): {
    getImageData(x: number, y: number, w: number, h: number): { readonly data: ArrayLike<number> };
  };
}
interface Figure {
  readonly dataset: { readonly stream?: string };
}
interface Observer {
  observe(of: unknown, o: { readonly attributes: true }): void;
}
interface PageWindow {
  seen?: string[];
  readonly MutationObserver: new (changed: () => void) => Observer;
}

describe("the streams of a camera in playback, in Chromium", () => {
  let t: TestBridge;
  let window: BrowserWindow;
  let page: Page;
  let id = "";
  /** What is recorded: the sub-stream all the time, the main one in the middle of it. */
  let main: Span;
  let sub: Span;

  before(async function () {
    const chromium = peer(this, "chromium");
    t = await startTestBridge();
    const { discovery, archive, watch } = t.bridge.parts;
    const { hostname } = new URL((await t.camera({ name: "Side", audio: true })).deviceUrl);
    await discovery.startScan([hostname]);
    const find = discovery.list().find(({ ip }) => ip === hostname)?.id ?? "";
    const choice = { credentials: CAMERA_LOGIN, plainText: true, recording: { mode: "off" } } as const;
    ({ id } = await discovery.adopt({ find }, choice));
    const extentOf = (stream: string): Promise<Span | undefined> => archive.source(id, stream).extent();
    const lasts = (stream: string, ms: number, since = 0): Promise<void> =>
      eventually(async () => {
        const { from = 0, to = 0 } = (await extentOf(stream)) ?? {};
        return to - Math.max(from, since) > ms;
      });
    const set = async (stream: string, mode: "off" | "continuous"): Promise<void> => {
      await discovery.setRecording(id, stream, { mode });
      if (mode === "continuous") return;
      const recordingOf = () => watch.all()[0]?.info.streams.find(({ name }) => name === stream)?.recording.state;
      await eventually(() => recordingOf() === "off");
    };
    await set("sub", "continuous");
    await lasts("sub", 8000);
    await set("main", "continuous");
    await lasts("main", 8000);
    await set("main", "off");
    main = (await extentOf("main")) as Span;
    await lasts("sub", 8000, main.to);
    await set("sub", "off");
    sub = (await extentOf("sub")) as Span;
    await t.administrator(ADMIN.password);
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
    ({ page } = window);
    await window.logIn(ADMIN.name, ADMIN.password);
    await page.getByRole("link", { name: "Playback" }).waitFor();
  });
  after(async () => {
    await window?.close();
    await t?.close();
  });

  const figure = () => page.locator(".players .picture");
  const choose = () => page.getByLabel("Stream of Side");
  const open = (at: number, camera = id): Promise<unknown> =>
    page.goto(`/playback?camera=${camera}&at=${new Date(at).toISOString()}`);
  /** The stream whose picture stands in sight, by its size too, and of when that is. */
  const shown = async (stream: "main" | "sub"): Promise<number> => {
    await figure()
      .and(page.locator(`[data-state="showing"][data-stream="${stream}"]`))
      .waitFor();
    let said = Number.NaN;
    await eventually(async () => {
      said = Number(await page.locator(".instant").getAttribute("data-instant"));
      const { videoWidth, seeking, currentTime } = await figure()
        .locator("video:not([hidden])")
        .evaluate((element) => {
          const { videoWidth, seeking, currentTime } = element as unknown as Video;
          return { videoWidth, seeking, currentTime };
        });
      const isSize = stream === "main" ? videoWidth === WIDTH : videoWidth > 0 && videoWidth < WIDTH;
      return isSize && !seeking && Math.abs(currentTime * 1000 - said) < 5;
    });
    return said;
  };

  it("show the main one where it is, and the sub-stream where that alone is, and say which", async () => {
    for (const [at, stream, words] of [
      [main.from - 3000, "sub", "Side, sub-stream"],
      [main.from + 3000, "main", "Side, main stream"],
      [main.to + 3000, "sub", "Side, sub-stream"],
    ] as const) {
      await open(at);
      expect(at - (await shown(stream))).to.be.within(0, 1000 / 4);
      await figure().getByText(words, { exact: true }).waitFor();
      await page
        .getByRole("slider", { name: "Timeline" })
        .and(page.locator(`[aria-valuetext$="${words.replace(", ", ": ")}"]`))
        .waitFor();
      expect(await choose().inputValue()).to.equal("");
    }
    // What is missing of the better one can be fetched all the same.
    await page.getByLabel("What is missing of Side, main stream").getByText("recording is switched off").waitFor();
    expect(await page.getByLabel("What is missing of Side, sub-stream").count()).to.equal(0);
    await window.picture("streams-best");
  });

  it("go on from one to the other and back while they are played", async () => {
    await open(main.from - 1500);
    await shown("sub");
    await figure().evaluate((element) => {
      const { dataset } = element as unknown as Figure;
      const page = globalThis as unknown as PageWindow;
      const seen = [dataset.stream ?? ""];
      page.seen = seen;
      new page.MutationObserver(() => {
        if (dataset.stream !== seen.at(-1)) seen.push(dataset.stream ?? "");
      }).observe(element, { attributes: true });
    });
    const seen = (): Promise<readonly string[]> =>
      page.evaluate(() => (globalThis as unknown as PageWindow).seen ?? []);
    await page.getByLabel("Speed").selectOption("2×");
    await page.getByRole("button", { name: "Play" }).click();
    await eventually(async () => (await seen()).length === 3);
    // Nothing is newer, and nothing older: there it stops by itself, however busy the machine.
    await page.getByRole("button", { name: "Play" }).waitFor();
    expect(await shown("sub")).to.be.within(main.to, sub.to);
    await page.getByLabel("Speed").selectOption("4× back");
    await page.getByRole("button", { name: "Play" }).click();
    await eventually(async () => (await seen()).length === 5);
    await page.getByRole("button", { name: "Play" }).waitFor();
    expect(await seen()).to.deep.equal(["sub", "main", "sub", "main", "sub"]);
    expect(await shown("sub")).to.be.below(main.from);
  });

  it("are stepped over by one picture, on and back", async () => {
    await open(main.from + 10);
    const first = await shown("main");
    await page.getByRole("button", { name: "One picture back" }).click();
    expect(await shown("sub")).to.be.below(main.from);
    // What comes behind it in its own stream is there then.
    await eventually(() =>
      figure()
        .locator("video:not([hidden])")
        .evaluate((element, at) => {
          const { buffered } = element as unknown as Video;
          return buffered.length > 0 && buffered.end(buffered.length - 1) * 1000 > at;
        }, main.from + 500),
    );
    const on = page.getByRole("button", { name: "One picture on" });
    await on.click();
    expect(await shown("main")).to.equal(first);
    await open(main.to - 10);
    await shown("main");
    // Until it is known that nothing comes behind it, there is no next one.
    await eventually(async () => {
      await on.click();
      return (await figure().getAttribute("data-stream")) === "sub";
    });
    expect(await shown("sub")).to.be.above(main.to - 1000);
  });

  it("are told apart on the timeline by their shape, not by color alone", async () => {
    await open(main.from + 1000);
    await shown("main");
    const timeline = page.getByLabel("Timeline");
    await timeline.focus();
    for (let count = 0; count < 7; count += 1) await page.keyboard.press("+");
    /** Of the bar at an instant, in CSS pixels, and what color it has. */
    const barAt = (at: number) =>
      timeline.evaluate((element, instant) => {
        const canvas = element as unknown as Canvas & { getAttribute(name: string): string };
        const [from, to] = [Number(canvas.getAttribute("aria-valuemin")), Number(canvas.getAttribute("aria-valuemax"))];
        const scale = canvas.width / canvas.clientWidth;
        const x = Math.round(((instant - from) / (to - from)) * canvas.width);
        const lane = Math.round(22 * scale);
        const { data } = canvas.getContext("2d").getImageData(x, canvas.height - lane, 1, lane);
        const rows = Array.from({ length: lane }, (_, row) =>
          Array.from(data)
            .slice(row * 4, row * 4 + 3)
            .join(),
        );
        const middle = rows[Math.floor(lane / 2)] ?? "";
        return { color: middle, height: rows.filter((row) => row === middle).length / scale };
      }, at);
    const bars = async () => Promise.all([main.from - 2000, main.from + 2500, main.to + 2000].map(barAt));
    await eventually(async () => (await bars())[0]?.height === THIN);
    const [before, within, behind] = await bars();
    expect([before?.height, within?.height, behind?.height]).to.deep.equal([THIN, WHOLE, THIN]);
    expect([before?.color, behind?.color]).to.deep.equal([within?.color, within?.color]);
    await page.getByText("by another stream alone").waitFor();
    await page.mouse.move(0, 0);
    await window.picture("streams-timeline");
    // Where one is chosen, what the other alone has is thin as well.
    await choose().selectOption("Main stream");
    await eventually(async () => (await bars()).map((bar) => bar.height).join() === [THIN, WHOLE, THIN].join());
    await choose().selectOption("Sub-stream");
    await eventually(async () => (await bars()).map((bar) => bar.height).join() === [WHOLE, WHOLE, WHOLE].join());
  });

  it("are chosen, by keys too, and the address says so to whoever opens it", async () => {
    await open(main.from + 3000);
    await shown("main");
    await choose().focus();
    await page.keyboard.press("S");
    expect(await shown("sub")).to.be.within(main.from + 2500, main.from + 3000);
    await page.waitForURL(`**/playback?camera=${id}/sub&at=*`);
    await page.reload();
    await shown("sub");
    expect(await choose().inputValue()).to.equal("sub");
    await choose().selectOption("Best there is");
    await shown("main");
    await page.waitForURL(`**/playback?camera=${id}&at=*`);
    await open(main.to + 3000, `${id}/main`);
    await figure().getByText("Not recorded: recording is switched off. The sub-stream has it.").waitFor();
    await window.picture("streams-chosen");
    await open(main.from - 3000, `${id}/main`);
    await figure().getByText("that early, or nothing that you may play. The sub-stream has it.").waitFor();
    // A link of before, or one with a slip in it, shows what there is.
    await open(main.from + 3000, `${id}/none`);
    await shown("main");
  });

  it("are shown in small where somebody points, each where it is played", async () => {
    await open(main.from + 1000);
    await shown("main");
    const timeline = page.getByLabel("Timeline");
    await timeline.focus();
    for (let count = 0; count < 7; count += 1) await page.keyboard.press("+");
    const preview = page.locator(".preview");
    for (const [at, words] of [
      [main.from - 3000, "Side, sub-stream,"],
      [main.from + 3000, "Side, main stream,"],
    ] as const) {
      const { x = 0, y = 0, width = 1 } = (await timeline.boundingBox()) ?? {};
      const [begin, end] = [
        Number(await timeline.getAttribute("aria-valuemin")),
        Number(await timeline.getAttribute("aria-valuemax")),
      ];
      await page.mouse.move(x + ((at - begin) / (end - begin)) * width, y + 100);
      await preview.and(page.locator('[data-state="showing"]')).getByText(words).waitFor();
      await eventually(async () => {
        const taken = Number(await preview.getAttribute("data-instant"));
        return at - taken >= 0 && at - taken < 4000;
      });
    }
    await window.picture("streams-preview");
    await page.mouse.move(0, 0);
  });

  it("are heard as they are seen", async () => {
    const opened: string[] = [];
    page.on("websocket", (socket) => {
      const [, feed = "", of = ""] = /\/api\/([a-z-]+)\/(.*)$/.exec(socket.url()) ?? [];
      if (feed === "recorded-sound") opened.push(of);
    });
    await open(main.from + 3000);
    await shown("main");
    const sound = page.getByRole("button", { name: "Sound" });
    await sound.click();
    await eventually(() => opened.join() === `${id}/main`);
    await page.getByLabel("Timeline").focus();
    await page.keyboard.press("ArrowLeft");
    await shown("sub");
    await eventually(() => opened.join() === `${id}/main,${id}/sub`);
    expect(await sound.getAttribute("aria-pressed")).to.equal("true");
  });

  it("are compared with the camera's signatures as they are shown, or as somebody chooses there", async () => {
    await open(main.to + 3000);
    await shown("sub");
    await page.getByRole("button", { name: "Camera signature…" }).click();
    const dialog = page.getByRole("dialog", { name: "Camera signature" });
    const compared = async (): Promise<string | null> => {
      const asked = page.waitForRequest((request) => request.url().includes("/camera-signatures?"));
      await dialog.getByRole("button", { name: "Compare" }).click();
      return new URL((await asked).url()).searchParams.get("stream");
    };
    expect(await compared()).to.equal("sub");
    await dialog.getByText("This camera does not sign its pictures").waitFor();
    await window.picture("streams-signature");
    await dialog.getByLabel("Stream").selectOption("main stream");
    expect(await compared()).to.equal("main");
    await dialog.getByText("This camera does not sign its pictures").waitFor();
  });

  it("give way where the browser has no decoder for the better one, which is said, and come back where it has", async () => {
    const from = unixMillis(main.to + 1000);
    await recordH265(t.bridge.parts.archive.fetched(id, "main"), from);
    const words = page.getByText("This browser cannot show the main stream.");
    await open(main.from + 3000);
    await shown("main");
    expect(await words.count()).to.equal(0);
    await open(from + 3000);
    expect(from + 3000 - (await shown("sub"))).to.be.within(0, 1000 / 4);
    await words.waitFor();
    await figure().getByText("Side, sub-stream", { exact: true }).waitFor();
    await window.picture("streams-unshowable");
    // Who chooses it is told why there is nothing to be seen, for as long as they look.
    await choose().selectOption("Main stream");
    await figure().getByText("This browser cannot show H.265 video.").waitFor();
    expect(await words.count()).to.equal(0);
    await choose().selectOption("Best there is");
    await shown("sub");
    // Found by being chosen where it can be shown.
    await choose().selectOption("Main stream");
    const timeline = page.getByLabel("Timeline");
    await timeline.focus();
    await eventually(async () => {
      await page.keyboard.press("ArrowLeft");
      return Number(await page.locator(".instant").getAttribute("data-instant")) < main.to - 1000;
    });
    await shown("main");
    await choose().selectOption("Best there is");
    await shown("main");
    expect(await words.count()).to.equal(0);
  });

  it("raise no error on the way", () => {
    expect(window.troubles).to.deep.equal([]);
  });
});
