import { EventEmitter } from "node:events";
import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import type { WebSocket } from "../../net/websocket.ts";
import { PlaybackFeed } from "../../web/playback-feed.ts";
import { eventually } from "../support/bridge.ts";
import { FPS, GOP, NumberedFrames } from "../support/numbered-frames.ts";
import { START_MS } from "../support/recorder-samples.ts";
import { scriptedRecording } from "../support/scripted-recording.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const frames = new NumberedFrames();
const GROUPS = Array.from({ length: 4 * GOP }, (_, index) => frames.group(index));
const at = (frame: number): number => START_MS + (frame * 1000) / FPS;

/** The bridge's end of a WebSocket whose page reads when it is told to. */
class Page extends EventEmitter {
  readonly OPEN = 1;
  readyState = this.OPEN;
  readonly sent: string[] = [];
  #unread: (() => void)[] = [];

  send(data: string | Buffer, left: () => void): void {
    this.sent.push(typeof data === "string" ? (JSON.parse(data) as { type: string }).type : "bytes");
    this.#unread.push(left);
  }

  close(): void {
    this.readyState = 2;
  }

  ask(request: object): void {
    this.emit("message", Buffer.from(JSON.stringify(request)));
  }

  /** Reads whatever comes from now on. */
  async reads(isEnough: () => boolean): Promise<void> {
    await eventually(() => {
      for (const left of this.#unread.splice(0)) left();
      return isEnough();
    });
  }
}

/** Until everything that can be done without the page is done. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe("a page's feed of a recording", () => {
  let page: Page;
  let feed: PlaybackFeed;
  let looked = 0;
  beforeEach(() => {
    page = new Page();
    looked = 0;
    feed = new PlaybackFeed(page as unknown as WebSocket, {
      camera: "gate",
      stream: undefined,
      source: scriptedRecording(frames.track, GROUPS),
      footage: {
        spans: () => {
          looked += 1;
          return Promise.resolve([]);
        },
        gaps: () => Promise.resolve([]),
        fetchedSpans: () => Promise.resolve([]),
      },
      clock: new VirtualClock(),
      log: silentLog(),
    });
  });

  afterEach(() => feed.close());

  const askTimeline = (): void => page.ask({ type: "timeline", from: at(0), to: at(4 * GOP) });

  it("tells one timeline at a time to a page that asks on and does not read", async () => {
    for (let count = 0; count < 50; count += 1) {
      askTimeline();
      await settled();
    }
    expect([page.sent, looked]).to.deep.equal([["timeline"], 1]);
    await page.reads(() => page.sent.length === 2);
    await settled();
    expect(page.sent).to.deep.equal(["timeline", "timeline"]);
  });

  it("says what it waits for no more than once to a page that asks on and does not read", async () => {
    page.ask({ type: "read", run: 1, from: at(0), until: at(0) });
    await page.reads(() => page.sent.at(-1) === "waiting");
    for (let count = 0; count < 50; count += 1) {
      page.ask({ type: "more", run: 1, until: at(0) });
      await settled();
    }
    expect(page.sent.filter((type) => type === "waiting").length).to.be.within(1, 2);
    page.ask({ type: "more", run: 1, until: at(GOP) });
    await page.reads(() => page.sent.filter((type) => type === "pictures").length > 1);
  });

  it("does nothing more once it is closed, though the page has not closed its end", async () => {
    page.ask({ type: "nonsense" });
    askTimeline();
    page.ask({ type: "read", run: 1, from: at(0), until: at(GOP) });
    await settled();
    expect([page.sent, looked]).to.deep.equal([[], 0]);
  });
});
