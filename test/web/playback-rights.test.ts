import { expect } from "chai";
import type { Grant } from "../../auth/principal.ts";
import { HOUR, MINUTE, type UnixMillis, unixMillis } from "../../base/units.ts";
import { eventually } from "../support/bridge.ts";
import { FPS, GOP, NumberedFrames } from "../support/numbered-frames.ts";
import { START_MS } from "../support/recorder-samples.ts";
import { type ScriptedRecording, scriptedRecording } from "../support/scripted-recording.ts";
import type { OpenFeed, WebClient } from "../support/web-client.ts";
import { type ScriptedCamera, startWebSite, type WebSite } from "../support/web-site.ts";

const ENDED = 4403;
const WRONG = 4400;
const HIDDEN = { type: "unplayable", why: "This camera is not there, or you may not watch it." };
const PATH = "/api/playback/gate";

const frames = new NumberedFrames();
const GROUPS = Array.from({ length: 4 * GOP }, (_, index) => frames.group(index));
const at = (frame: number): UnixMillis => unixMillis(START_MS + (frame * 1000) / FPS);
/** A Tuesday, 14:05 UTC. */
const NOW = unixMillis(START_MS + HOUR);
const PLAYBACK: Grant = { right: "playback", cameras: new Set(["gate"]), interfaces: "any" };

describe("a recording through the pages", () => {
  let site: WebSite;
  let camera: ScriptedCamera;
  let recording: ScriptedRecording;
  beforeEach(async () => {
    site = await startWebSite();
    site.clock.setWall(NOW);
    recording = scriptedRecording(frames.track, GROUPS);
    camera = site.camera("gate", [frames.track], recording);
    site.camera("yard");
  });
  afterEach(() => site.close());

  const ask = (feed: OpenFeed, request: object): void => feed.send(Buffer.from(JSON.stringify(request)));
  const read = (feed: OpenFeed, from: number, until: number): void =>
    ask(feed, { type: "read", run: 1, from: at(from), until: at(until) });
  const instantsOf = (feed: OpenFeed): readonly number[] =>
    feed.messages.flatMap((one) =>
      Buffer.isBuffer(one) ? [] : ((one as { readonly at?: readonly number[] }).at ?? []),
    );
  const change = (grants: readonly Grant[]): Promise<unknown> => {
    const id = site.accounts.list().find(({ name }) => name === "guard")?.id ?? "";
    return site.accounts.change(id, { grants });
  };
  const playing = async (guard: WebClient): Promise<OpenFeed> => {
    const feed = await guard.openFeed(PATH);
    read(feed, 0, GOP);
    await eventually(() => instantsOf(feed).length === GOP + 1);
    return feed;
  };

  it("is for who may play it, and for nobody else, who all hear the same", async () => {
    await playing(await site.person("guard", [PLAYBACK]));
    const { action, camera: where, interface: door, outcome } = site.audited.at(-1) ?? {};
    expect([action, where, door, outcome]).to.deep.equal(["playback", "gate", "web", "allowed"]);
    for (const [name, grants, path] of [
      ["watcher", [{ ...PLAYBACK, right: "live" }], PATH],
      ["searcher", [{ ...PLAYBACK, right: "search" }], PATH],
      ["client", [{ ...PLAYBACK, interfaces: new Set(["rtsp"]) }], PATH],
      ["stranger", [PLAYBACK], "/api/playback/yard"],
      ["dreamer", [PLAYBACK], "/api/playback/none"],
      ["digger", [PLAYBACK], `${PATH}/sub`],
    ] as const) {
      const feed = await (await site.person(name, grants as readonly Grant[])).openFeed(path);
      expect(await feed.closed, name).to.equal(ENDED);
      expect(feed.messages, name).to.deep.equal([HIDDEN]);
    }
  });

  it("has nothing that is too old for the account, neither to see nor to know of", async () => {
    const maxAgeMs = NOW - at(2 * GOP);
    const guard = await site.person("guard", [{ ...PLAYBACK, maxAgeMs }]);
    // Also of a stream that is named.
    for (const named of [{}, { stream: "main" }]) {
      const feed = await guard.openFeed(PATH);
      ask(feed, { type: "read", run: 1, from: at(0), until: at(4 * GOP), ...named });
      await eventually(() => instantsOf(feed).length === 2 * GOP);
      expect(instantsOf(feed)[0]).to.equal(at(2 * GOP));
      ask(feed, { type: "timeline", from: at(0), to: at(4 * GOP), ...named });
      await eventually(() => (feed.messages.at(-1) as { readonly type?: string }).type === "timeline");
      expect(feed.messages.at(-1)).to.deep.include({ extent: { from: at(2 * GOP), to: at(4 * GOP) } });
    }
  });

  it("has no thumbnail of what is too old for the account, and none ends the picture by its own age", async () => {
    const maxAgeMs = NOW - at(2 * GOP);
    const guard = await site.person("guard", [{ ...PLAYBACK, maxAgeMs }]);
    const feed = await guard.openFeed(PATH);
    read(feed, 3 * GOP, 3 * GOP);
    await eventually(() => instantsOf(feed).length > 0);
    for (const frame of [GOP, 2 * GOP]) {
      const told = feed.messages.length;
      ask(feed, { type: "key-frame", at: at(frame) });
      await eventually(() => feed.messages.length > told);
    }
    const told = feed.messages.filter((one) =>
      /^(?:no-)?key-frame$/.test((one as { readonly type?: string }).type ?? ""),
    );
    expect(told.map((one) => (one as { readonly type: string }).type)).to.deep.equal(["no-key-frame", "key-frame"]);
    await site.clock.advance(900);
    expect(recording.open()).to.equal(1);
    await site.clock.advance(MINUTE);
    expect(await feed.closed).to.equal(ENDED);
  });

  it("ends when what was shown has become too old", async () => {
    const maxAgeMs = NOW - at(0);
    const feed = await playing(await site.person("guard", [{ ...PLAYBACK, maxAgeMs }]));
    await site.clock.advance(MINUTE);
    expect(await feed.closed).to.equal(ENDED);
    expect(recording.open()).to.equal(0);
  });

  it("ends when the hours of the right do", async () => {
    const { zone, weekly } = { zone: "UTC", weekly: [{ days: [2], from: "08:00", to: "14:15" }] };
    await site.accounts.setPart("hours", "night", { name: "Night", zone, weekly, exceptions: [] });
    const feed = await playing(await site.person("guard", [{ ...PLAYBACK, hours: "night" }]));
    await site.clock.advance(9 * MINUTE);
    expect(recording.open()).to.equal(1);
    await site.clock.advance(MINUTE);
    expect(await feed.closed).to.equal(ENDED);
    await eventually(() => recording.open() === 0);
  });

  const ends: readonly (readonly [why: string, end: () => unknown])[] = [
    ["the right is taken away", () => change([])],
    ["an age limit is set", () => change([{ ...PLAYBACK, maxAgeMs: 1e12 }])],
    ["the camera is removed", () => camera.remove()],
  ];
  for (const [why, end] of ends)
    it(`ends when ${why}`, async () => {
      const feed = await playing(await site.person("guard", [PLAYBACK]));
      await end();
      expect(await feed.closed).to.equal(ENDED);
      await eventually(() => recording.open() === 0);
    });

  it("ends with the session", async () => {
    const guard = await site.person("guard", [PLAYBACK]);
    const feed = await playing(guard);
    await guard.send("DELETE", "/api/session");
    expect(await feed.closed).to.equal(ENDED);
  });

  it("is closed to pages that send what makes no sense", async () => {
    const guard = await site.person("guard", [PLAYBACK]);
    for (const text of [
      "",
      "{",
      "null",
      "{}",
      '{"type":"read"}',
      '{"type":"read","run":1,"from":-1,"until":0}',
      '{"type":"read","run":0.5,"from":1,"until":2}',
      '{"type":"read","run":1,"from":1,"until":1e300}',
      '{"type":"stop","more":1}',
      '{"type":"stop","stream":"none"}',
      '{"type":"stop","stream":"../main"}',
    ]) {
      const feed = await guard.openFeed(PATH);
      feed.send(Buffer.from(text));
      expect(await feed.closed, text).to.equal(WRONG);
    }
  });
});
