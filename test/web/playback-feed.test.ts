import { EventEmitter } from "node:events";
import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { Turns } from "../../base/turns.ts";
import { createDepacketizer } from "../../media/depacketizer.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { WebSocket } from "../../net/websocket.ts";
import { PlaybackFeed } from "../../web/playback-feed.ts";
import { eventually } from "../support/bridge.ts";
import { FPS, GOP, NumberedFrames } from "../support/numbered-frames.ts";
import { START_MS } from "../support/recorder-samples.ts";
import { type ScriptedRecording, scriptedRecording } from "../support/scripted-recording.ts";
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

  /** What stands in the messages besides their type. */
  readonly words: object[] = [];
  readonly bytes: Buffer[] = [];

  send(data: string | Buffer, left: () => void): void {
    if (typeof data === "string") {
      const { type, ...words } = JSON.parse(data) as { type: string };
      this.sent.push(type);
      this.words.push(words);
    } else {
      this.sent.push("bytes");
      this.bytes.push(data);
    }
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
  let recording: ScriptedRecording;
  let smaller: ScriptedRecording;
  let looked = 0;
  beforeEach(() => {
    page = new Page();
    looked = 0;
    recording = scriptedRecording(frames.track, GROUPS);
    smaller = scriptedRecording(frames.track, GROUPS.slice(GOP));
    const streams = new Map([
      [undefined, recording],
      ["sub", smaller],
    ]);
    feed = new PlaybackFeed(page as unknown as WebSocket, {
      camera: "gate",
      stream: undefined,
      playable: (stream) => {
        const source = streams.get(stream);
        return source && { source, thumbnails: source };
      },
      turns: new Turns(),
      footage: {
        meantStream: () => Promise.resolve("main"),
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

  const askKeyFrame = (frame: number): void => page.ask({ type: "key-frame", at: Math.round(at(frame)) });

  it("gives the last key frame at or before an instant, alone and as it was encoded, and reads no more", async () => {
    askKeyFrame(2 * GOP + 7);
    await page.reads(() => page.bytes.length === 1);
    expect(page.sent).to.deep.equal(["key-frame", "bytes"]);
    const [{ configBytes, ...words }] = page.words as [{ readonly configBytes: number }];
    const [sent = Buffer.alloc(0)] = page.bytes;
    const [sample] = createDepacketizer(frames.track)?.push(GROUPS[2 * GOP] as PacketGroup) ?? [];
    expect(words).to.deep.equal({
      asked: Math.round(at(2 * GOP + 7)),
      at: at(2 * GOP),
      codec: "avc1.42C01E",
      width: 384,
      height: 32,
    });
    const config = sample !== undefined && "config" in sample.format ? sample.format.config : Buffer.alloc(0);
    expect(sent.subarray(0, configBytes)).to.deep.equal(config);
    expect(sent.subarray(configBytes)).to.deep.equal(sample?.data);
    expect([recording.taken(), recording.open()]).to.deep.equal([1, 0]);
  });

  it("has no key frame of what is not recorded, though something is behind it", async () => {
    page.ask({ type: "key-frame", at: START_MS - 1000 });
    await page.reads(() => page.sent.length === 1);
    expect([page.sent, page.words]).to.deep.equal([["no-key-frame"], [{ asked: START_MS - 1000 }]]);
  });

  it("reads one key frame at a time, and of those that wait the newest, for a page that asks on and does not read", async () => {
    for (let count = 0; count < 50; count += 1) {
      askKeyFrame(count);
      await settled();
    }
    expect([page.sent, recording.taken()]).to.deep.equal([["key-frame", "bytes"], 1]);
    await page.reads(() => page.bytes.length === 2);
    await settled();
    expect(page.words.map((one) => (one as { readonly asked: number }).asked)).to.deep.equal([at(0), at(49)]);
  });

  it("keeps words and their bytes together, whatever else is told meanwhile", async () => {
    page.ask({ type: "read", run: 1, from: at(0), until: at(3 * GOP) });
    await page.reads(() => {
      askTimeline();
      askKeyFrame(GOP);
      return page.sent.filter((type) => type === "pictures").length > 5;
    });
    const before = page.sent.flatMap((type, index) => (type === "bytes" ? [page.sent[index - 1]] : []));
    expect([...new Set(before)]).to.have.members(["stream", "pictures", "key-frame"]);
    expect(page.bytes.length).to.equal(page.sent.filter((type) => /^(?:stream|pictures|key-frame)$/.test(type)).length);
  });

  it("has what another stream recorded, beside and not instead of the first one", async () => {
    const until = at(4 * GOP);
    page.ask({ type: "read", run: 1, from: at(0), until });
    page.ask({ type: "read", run: 2, stream: "sub", from: at(0), until });
    const picturesOf = (run: number): readonly number[] =>
      (page.words as { readonly run?: number; readonly at?: readonly number[] }[]).flatMap((one) =>
        one.run === run ? (one.at ?? []) : [],
      );
    await page.reads(() => picturesOf(1).length === 4 * GOP && picturesOf(2).length === 3 * GOP);
    expect([picturesOf(1)[0], picturesOf(2)[0]]).to.deep.equal([at(0), at(GOP)]);
    page.ask({ type: "timeline", from: at(0), to: until });
    page.ask({ type: "timeline", stream: "sub", from: at(0), to: until });
    const told = (): readonly unknown[] =>
      page.words.flatMap((one) => ("extent" in one && "stream" in one ? [[one.stream, one.extent]] : []));
    await page.reads(() => told().length === 2);
    expect(told()).to.have.deep.members([
      ["main", await recording.extent()],
      ["sub", await smaller.extent()],
    ]);
    page.ask({ type: "key-frame", stream: "sub", at: Math.round(at(0)) });
    await page.reads(() => page.sent.at(-1) === "no-key-frame");
    askKeyFrame(0);
    await page.reads(() => page.sent.includes("key-frame"));
  });

  it("reads no more of the stream that it is told to stop, and goes on with the others", async () => {
    page.ask({ type: "read", run: 1, from: at(0), until: at(0) });
    page.ask({ type: "read", run: 2, stream: "sub", from: at(0), until: at(0) });
    await page.reads(() => recording.open() === 1 && smaller.open() === 1);
    page.ask({ type: "stop", stream: "sub" });
    await page.reads(() => smaller.open() === 0);
    expect(recording.open()).to.equal(1);
  });

  it("ends with a page that asks for a stream which the camera does not have", async () => {
    page.ask({ type: "timeline", stream: "none", from: at(0), to: at(GOP) });
    await settled();
    expect([page.sent, page.readyState]).to.deep.equal([[], 2]);
  });

  it("does nothing more once it is closed, though the page has not closed its end", async () => {
    page.ask({ type: "nonsense" });
    askTimeline();
    askKeyFrame(0);
    page.ask({ type: "read", run: 1, from: at(0), until: at(GOP) });
    await settled();
    expect([page.sent, looked]).to.deep.equal([[], 0]);
  });
});
