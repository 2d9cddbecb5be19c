import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import type { AuditEntry } from "../../auth/audit.ts";
import { systemClock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { isoOf, type Millis, SECOND, type UnixMillis, unixMillis } from "../../base/units.ts";
import type { Connection, RecordingInfo } from "../../bridge/camera.ts";
import { askEdge, cameraClock, type EdgeCamera } from "../../bridge/camera-side/edge/edge-camera.ts";
import { holesIn } from "../../bridge/camera-side/edge/fetch.ts";
import type { EdgeFill, EdgeFillOptions } from "../../bridge/camera-side/edge/fill.ts";
import { Tries } from "../../bridge/camera-side/edge/tries.ts";
import { EventBus } from "../../bridge/event-bus.ts";
import { pictureOf } from "../../media/picture-of.ts";
import type { Track } from "../../media/track.ts";
import { cameraSide } from "../../net/sides.ts";
import { ofSensor } from "../../onvif/client/edge.ts";
import { Archive } from "../../recorder/archive.ts";
import type { GapCause } from "../../recorder/gap.ts";
import { startSimCamera } from "../../sim/camera.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import type { Quirk } from "../../sim/quirks.ts";
import type { Notification } from "../../wsdl/notification.ts";
import { CAMERA_LOGIN, nextCameraNetwork } from "../support/bridge.ts";
import { edgeCamera, edgeFiller, ONLINE, RECORDED_LIVE } from "../support/edge-camera.ts";
import { pullUntil } from "../support/pull-until.ts";
import { scratchFolder } from "../support/recorder-samples.ts";
import { makeSigner } from "../support/signer.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const FPS = 15;
/** Groups of pictures of a simulated camera. */
const GOP_MS: Millis = 2 * SECOND;
const SMALL = { width: 320, height: 192 };
/** Has a sub-stream. */
const LARGE = { width: 480, height: 270 };
const SUB = "320x180";
const OFF_MS = 3 * 3600 * SECOND;

/** What is asked for of what a camera has of its main stream: of the time since there is one. */
const LATELY = { stream: "main", span: { from: unixMillis(0), to: unixMillis(4e12) } };

/** Settings that name no camera. */
const NOBODY = { fill: [] };

/** A stand of an archive, a simulated camera with a card, and what fills the gaps of the one from the other. */
class Stand {
  readonly archive: Archive;
  readonly camera: SimCamera;
  readonly network: string;
  recording: RecordingInfo = RECORDED_LIVE;
  subRecording: RecordingInfo = RECORDED_LIVE;
  /** As they were described, by stream. */
  readonly tracks: Record<"main" | "sub", readonly Track[]> = { main: [], sub: [] };
  connection: Connection = ONLINE;
  cameraAheadMs: Millis | undefined;
  readonly removal = new AbortController();
  readonly audited: AuditEntry[] = [];
  readonly told: Pick<Notification, "topic" | "data">[] = [];
  /** Of the newest filler. */
  metrics = new Metrics();
  readonly #remove: () => Promise<void>;

  private constructor(archive: Archive, camera: SimCamera, network: string, remove: () => Promise<void>) {
    this.archive = archive;
    this.camera = camera;
    this.network = network;
    this.#remove = remove;
  }

  /** With a card of `both` streams, its picture is so large that it has a sub-stream. */
  static async open(quirks: readonly Quirk[] = [], card: boolean | "both" = true, size = SMALL): Promise<Stand> {
    const { folder, remove } = await scratchFolder();
    const network = nextCameraNetwork();
    const signer = await makeSigner();
    const archive = await Archive.open({
      folder,
      clock: systemClock,
      log: silentLog(),
      metrics: new Metrics(),
      signer,
    });
    const camera = await startSimCamera({
      name: "Gate",
      address: `${network}.1`,
      httpPort: 0,
      rtspPort: 0,
      user: CAMERA_LOGIN.user,
      password: CAMERA_LOGIN.password.reveal(),
      ...size,
      fps: FPS,
      card,
      quirks,
      clock: systemClock,
      log: silentLog(),
    });
    return new Stand(archive, camera, network, remove);
  }

  get adopted(): EdgeCamera {
    const { connection, recording, subRecording, cameraAheadMs, tracks } = this;
    const { deviceUrl, rtspUrl, subUrl } = this.camera;
    const removed = this.removal.signal;
    const streams = { rtspUrl, subUrl, recording, subRecording, tracks };
    return edgeCamera({ deviceUrl, ...streams, credentials: CAMERA_LOGIN, connection, cameraAheadMs, removed });
  }

  get side() {
    return cameraSide({ interfaces: [`${this.network}.0/24`], clientAddresses: [] });
  }

  filler(settings: object = {}): EdgeFill {
    this.metrics = new Metrics();
    const bus = new EventBus(systemClock, silentLog());
    bus.listen(({ notification: { topic, data } }) => void this.told.push({ topic, data }));
    return edgeFiller(this.archive, () => [this.adopted], {
      settings: { fill: "all", ...settings },
      side: this.side,
      audit: { record: (entry) => void this.audited.push(entry) },
      bus,
      metrics: this.metrics,
    });
  }

  /** Records so many pictures of a live stream of the camera; nothing comes then, and why. */
  async film(pictures: number, cause: GapCause = "network", stream: "main" | "sub" = "main"): Promise<void> {
    const recorder = this.archive.recorder("gate", stream);
    const url = new URL((stream === "main" ? this.camera.rtspUrl : this.camera.subUrl) ?? "");
    const { tracks, groups } = await pullUntil(url, pictures, { credentials: CAMERA_LOGIN });
    this.tracks[stream] = tracks;
    recorder.describe(tracks);
    for (const group of groups) recorder.push(group);
    await recorder.idle();
    recorder.gap({ cause, why: "told so" });
    await recorder.close();
  }

  /** A gap of some seconds between two pieces of live footage. */
  async withGap(cause: GapCause = "network", seconds = 3): Promise<void> {
    await this.film(FPS, cause);
    await systemClock.sleep(seconds * SECOND);
    await this.film(FPS, cause);
  }

  /** The same in both streams. */
  async withGaps(): Promise<void> {
    const film = (): Promise<unknown> =>
      Promise.all([this.film(FPS, "network", "main"), this.film(FPS, "network", "sub")]);
    await film();
    await systemClock.sleep(3 * SECOND);
    await film();
  }

  gaps(stream = "main"): Promise<readonly { from: UnixMillis; to: UnixMillis | undefined; cause: GapCause }[]> {
    return this.archive
      .gaps("gate", unixMillis(0), systemClock.now(), stream)
      .then((all) => all.filter(({ to }) => to !== undefined));
  }

  /** Of the first gap: how much of it is left. */
  async leftMs(gap: { from: UnixMillis; to: UnixMillis | undefined }, stream = "main"): Promise<Millis> {
    const to = gap.to ?? gap.from;
    const spans = await this.archive.fetchedSpans("gate", gap.from, to, stream);
    return to - gap.from - spans.reduce((sum, one) => sum + one.to - one.from, 0);
  }

  async close(): Promise<void> {
    await this.archive.close();
    await this.camera.close();
    await this.#remove();
  }
}

describe("filling gaps from a camera's own recording", () => {
  let stand: Stand | undefined;
  afterEach(async () => {
    await stand?.close();
    stand = undefined;
  });

  async function filled(
    of: Stand,
  ): Promise<{ readonly gap: { from: UnixMillis; to: UnixMillis | undefined }; readonly leftMs: Millis }> {
    const [gap] = await of.gaps();
    if (gap === undefined) throw new Error("there is no gap");
    const fill = of.filler();
    await fill.look();
    await fill.idle();
    await fill.close();
    return { gap, leftMs: await of.leftMs(gap) };
  }

  it("has no other pictures than those that are missing, at the times at which they were seen", async () => {
    stand = await Stand.open();
    await stand.withGap();
    const { gap, leftMs } = await filled(stand);
    // It begins with a key frame.
    expect(leftMs).to.be.within(0, GOP_MS + 100);
    const times: number[] = [];
    const reading = { from: unixMillis(gap.from - 10 * SECOND) };
    for await (const group of stand.archive.source("gate", "main").read(reading, new AbortController().signal))
      if (group.at >= gap.from + GOP_MS + 100 && group.at < (gap.to ?? 0)) times.push(group.at);
    expect(times.length).to.be.within(FPS / 3, (((gap.to ?? 0) - gap.from) / SECOND) * FPS);
    for (const [index, at] of times.entries())
      if (index > 0) expect(at - (times[index - 1] ?? 0)).to.be.closeTo(SECOND / FPS, 1);
    expect((await stand.gaps()).every(({ cause }) => cause === "network")).to.equal(true);
    expect(await stand.metrics.text()).to.include('viaduct_edge_fetches_total{result="filled"} 1');
  });

  for (const quirk of [
    "searches-slowly",
    "no-find-recordings",
    "dates-keys-alone",
    "replay-without-end",
    "replay-overruns",
    "wrong-host-uri",
  ] as const)
    it(`copes with a camera that ${quirk}`, async () => {
      stand = await Stand.open([quirk]);
      await stand.withGap();
      const { gap, leftMs } = await filled(stand);
      expect(leftMs).to.be.within(0, GOP_MS + 100);
      const spans = await stand.archive.fetchedSpans("gate", unixMillis(0), systemClock.now(), "main");
      expect(spans.every(({ from, to }) => from >= gap.from && to <= (gap.to ?? 0) + SECOND / FPS)).to.equal(true);
    });

  it("takes off what the camera's clock is wrong by, and says that it did", async () => {
    stand = await Stand.open(["clock-off"]);
    await stand.withGap();
    const { leftMs } = await filled(stand);
    // Live footage has the time of its arrival; the clock that the camera tells is good to half a second.
    expect(leftMs).to.be.within(0, GOP_MS + SECOND);
  });

  it("leaves a camera alone whose live stream needs all that there is, or that is not recorded all the time", async () => {
    stand = await Stand.open();
    await stand.withGap("network", 2);
    const asked = stand.camera.requests;
    for (const change of [
      { connection: { state: "offline", since: unixMillis(0), why: "gone" } as const },
      { recording: { ...RECORDED_LIVE, state: "starting" } as const },
      { recording: { ...RECORDED_LIVE, plan: { mode: "events" } } as const },
    ]) {
      Object.assign(stand, { connection: ONLINE, recording: RECORDED_LIVE }, change);
      await filled(stand);
    }
    stand.removal.abort();
    await filled(stand);
    expect(stand.camera.requests).to.equal(asked);
  });

  it("leaves gaps alone that are meant, and those of cameras that nobody has named", async () => {
    stand = await Stand.open();
    await stand.withGap("off", 2);
    const asked = stand.camera.requests;
    for (const settings of [{}, { fill: [] }, { fill: ["another"] }]) {
      const fill = stand.filler(settings);
      await fill.look();
      await fill.idle();
      await fill.close();
    }
    expect(stand.camera.requests).to.equal(asked);
  });

  it("keeps the gap where the camera has nothing, and does not ask again at once", async () => {
    stand = await Stand.open([], false);
    await stand.withGap();
    const before = await stand.gaps();
    const fill = stand.filler();
    await fill.look();
    await fill.idle();
    const asked = stand.camera.requests;
    await fill.look();
    await fill.idle();
    await fill.close();
    expect(stand.camera.requests).to.equal(asked);
    expect(await stand.gaps()).to.deep.equal(before);
    expect(await stand.metrics.text()).to.include('viaduct_edge_fetches_total{result="nothing"} 1');
  });

  it("keeps what it has when it is stopped, and fetches the rest once later, without an overlap", async () => {
    stand = await Stand.open();
    await stand.withGap("stopped", 4);
    const [gap] = await stand.gaps();
    if (gap === undefined) throw new Error("there is no gap");
    for (const afterMs of [0, 60, 120, undefined]) {
      const fill = stand.filler();
      await fill.look();
      await Promise.race([...(afterMs === undefined ? [] : [systemClock.sleep(afterMs)]), fill.idle()]);
      await fill.close();
    }
    expect(await stand.leftMs(gap)).to.be.within(0, GOP_MS + 100);
    const times: number[] = [];
    const reading = { from: gap.from };
    for await (const group of stand.archive.source("gate", "main").read(reading, new AbortController().signal))
      times.push(group.at);
    expect(times).to.deep.equal([...new Set(times)].toSorted((a, b) => a - b));
  });

  it("tells the audit log and the bus of each fetch", async () => {
    stand = await Stand.open();
    await stand.withGap();
    await filled(stand);
    const fetched = {
      who: "viaduct",
      interface: "bridge",
      action: "fetch-footage",
      camera: "gate",
      outcome: "allowed",
    };
    expect(stand.audited).to.have.length(1);
    expect(stand.audited[0]).to.include(fetched);
    expect(stand.audited[0]?.why).to.match(/^fetched/);
    expect(stand.told.map(({ topic, data }) => [topic.join("/"), data[0]])).to.deep.equal([
      ["RecordingHistory/{urn:viaduct:topics}Fetched", ["State", "fetched"]],
    ]);
  });

  it("tells them also of one that could not be, with its reason, and does not ask again at once", async () => {
    stand = await Stand.open();
    await stand.withGap();
    const [gap] = await stand.gaps();
    if (gap?.to === undefined) throw new Error("there is no gap");
    await stand.camera.close();
    const fill = stand.filler();
    for (let round = 0; round < 2; round += 1) {
      await fill.look();
      await fill.idle();
    }
    await fill.close();
    const why = "the camera's own recording cannot be fetched";
    expect(fill.list("gate").map(({ state, why }) => [state, why])).to.deep.equal([["failed", why]]);
    expect(stand.audited).to.have.length(1);
    expect(stand.audited[0]).to.include({
      who: "viaduct",
      interface: "bridge",
      action: "fetch-footage",
      camera: "gate",
      outcome: "failed",
      why: `failed: ${why}`,
    });
    expect(stand.told.map(({ data }) => data)).to.deep.equal([
      [
        ["State", "failed"],
        ["From", isoOf(gap.from)],
        ["To", isoOf(gap.to)],
        ["Reason", why],
      ],
    ]);
    expect(await stand.metrics.text()).to.include('viaduct_edge_fetches_total{result="failed"} 1');
  });

  describe("by hand", () => {
    const anna = { who: "anna", interface: "web", address: "10.0.0.1" } as const;

    it("fetches what is missing of a stretch for whatever cause, of a camera that nobody has named", async () => {
      stand = await Stand.open();
      await stand.withGap("off", 4);
      const [gap] = await stand.gaps();
      if (gap?.to === undefined) throw new Error("there is no gap");
      const fill = stand.filler(NOBODY);
      const asked = await fill.ask("gate", { stream: "main", from: gap.from, to: gap.to }, anna);
      expect(asked).to.include({ camera: "gate", from: gap.from, to: gap.to, state: "running" });
      const busy: unknown = await fill
        .ask("gate", { stream: "main", from: gap.from, to: gap.to }, anna)
        .catch((error) => error);
      expect(busy).to.be.instanceOf(Fault).with.property("kind", "busy");
      await fill.idle();
      expect(fill.list("gate")).to.have.length(1);
      expect(fill.list("gate")[0]).to.include({ id: asked.id, state: "fetched" });
      expect(await stand.leftMs(gap)).to.be.within(0, GOP_MS + 100);
      expect(stand.audited[0]).to.include({ ...anna, action: "fetch-footage", outcome: "allowed" });
      // What is there now is not fetched again.
      const again: unknown = await fill
        .ask("gate", { stream: "main", from: unixMillis(gap.from + GOP_MS + 100), to: gap.to }, anna)
        .catch((error) => error);
      expect(again)
        .to.be.instanceOf(Fault)
        .with.property("tell")
        .that.matches(/nothing is missing there/);
      await fill.close();
    });

    it("says what became of one where the camera has nothing, and of one that is broken off", async () => {
      stand = await Stand.open([], false);
      await stand.withGap();
      const [gap] = await stand.gaps();
      if (gap?.to === undefined) throw new Error("there is no gap");
      const fill = stand.filler(NOBODY);
      await fill.ask("gate", { stream: "main", from: gap.from, to: gap.to }, anna);
      await fill.idle();
      expect(fill.list("gate")[0]).to.include({ state: "nothing", why: "the camera has no recordings of its own" });
      await fill.ask("gate", { stream: "main", from: gap.from, to: gap.to }, anna);
      await fill.close();
      expect(fill.list("gate").map(({ state }) => state)).to.deep.equal(["stopped", "nothing"]);
      expect(stand.audited.map(({ why }) => why)).to.deep.equal([
        "nothing: the camera has no recordings of its own",
        "stopped",
      ]);
    });

    it("fetches from eight cameras at once for people", async () => {
      const silent = createServer();
      silent.listen(0, "127.0.0.1");
      await once(silent, "listening");
      const deviceUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/onvif/device_service`;
      const cameras = Array.from({ length: 9 }, (_, index): EdgeCamera => {
        const one = edgeCamera({ deviceUrl });
        return { ...one, record: { ...one.record, id: `c${index}` } };
      });
      const now = systemClock.now();
      const gap = { stream: "main", from: unixMillis(now - 600 * SECOND), to: unixMillis(now - 300 * SECOND) };
      const archive: EdgeFillOptions["archive"] = {
        gaps: async () => [{ ...gap, cause: "network", reason: "told so" }],
        spans: async () => [],
        fetched: () => expect.fail("nothing came"),
      };
      const fill = edgeFiller(archive, () => cameras, { settings: NOBODY });
      // All at once: none may slip in while the others are looked for.
      const outcomes = await Promise.allSettled(cameras.map(({ record: { id } }) => fill.ask(id, gap, anna)));
      const refused = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
      expect(refused).to.have.length(1);
      expect(refused[0]).to.be.instanceOf(Fault).with.property("kind", "busy");
      await fill.close();
      silent.closeAllConnections();
      silent.close();
    });

    for (const [name, span, said] of [
      ["that ends before it begins", (now: number) => [now, now - SECOND], /before the end/],
      ["of more than a day", (now: number) => [now - 25 * 3600 * SECOND, now], /24 hours at most/],
      ["older than what is kept", (now: number) => [now - 24 * 3600 * SECOND, now - 23 * 3600 * SECOND], /so old/],
      ["of which nothing is missing", (now: number) => [now - 5 * SECOND, now], /nothing is missing/],
    ] as const)
      it(`refuses a stretch ${name}`, async () => {
        stand = await Stand.open();
        const fill = stand.filler(NOBODY);
        const [from = 0, to = 0] = span(systemClock.now());
        const found: unknown = await fill
          .ask("gate", { stream: "main", from: unixMillis(from), to: unixMillis(to) }, anna)
          .catch((error) => error);
        expect(found).to.be.instanceOf(Fault).with.property("tell").that.matches(said);
        await fill.close();
      });

    it("knows no camera that is not there, and no stream", async () => {
      stand = await Stand.open();
      const fill = stand.filler();
      for (const [camera, stream] of [
        ["yard", "main"],
        ["gate", "sub"],
      ] as const) {
        const span = { stream, from: unixMillis(0), to: unixMillis(1) };
        const found: unknown = await fill.ask(camera, span, anna).catch((error) => error);
        expect(found).to.be.instanceOf(Fault).with.property("kind", "not-found");
      }
      await fill.close();
    });
  });

  it("asks an adopted camera for what it has, and says where it has no recordings", async () => {
    stand = await Stand.open();
    const ask = {
      side: stand.side,
      clock: systemClock,
      ca: undefined,
      signal: new AbortController().signal,
      ...LATELY,
    };
    const { recordings, clock, replayUrl } = await askEdge(stand.adopted, ask);
    expect(recordings).to.have.length(1);
    expect(clock).to.deep.equal({ aheadMs: 0, quality: "camera" });
    const [recording] = recordings;
    expect(recording && (await replayUrl(recording.recording)).pathname).to.equal("/recorded");
    const open = { ...stand.adopted, record: { ...stand.adopted.record, plainText: false } };
    const refused = await askEdge(open, ask).then(async (source) => {
      const error: unknown = await source
        .replayUrl(source.recordings[0]?.recording ?? { token: "", source: "", from: undefined, to: undefined })
        .catch((one: unknown) => one);
      return error;
    });
    expect(refused).to.be.instanceOf(Fault).with.property("kind", "denied");
  });
});

describe("filling gaps of a sub-stream", () => {
  let stand: Stand | undefined;
  afterEach(async () => {
    await stand?.close();
    stand = undefined;
  });

  /** Fills as often as there are streams. How much is left of the gap of each, and what was fetched of which. */
  async function filled(of: Stand): Promise<{
    readonly left: Readonly<Record<"main" | "sub", Millis>>;
    readonly ended: readonly (readonly [stream: string, state: string, why: string | undefined])[];
  }> {
    const missing = { main: (await of.gaps("main"))[0], sub: (await of.gaps("sub"))[0] };
    const fill = of.filler();
    for (let round = 0; round < 2; round += 1) {
      await fill.look();
      await fill.idle();
    }
    await fill.close();
    const left = async (stream: "main" | "sub"): Promise<Millis> => {
      const gap = missing[stream];
      if (gap === undefined) throw new Error("there is no gap");
      return of.leftMs(gap, stream);
    };
    const ended = fill.list("gate").map(({ stream, state, why }) => [stream, state, why] as const);
    return { left: { main: await left("main"), sub: await left("sub") }, ended: ended.toReversed() };
  }

  /** The sizes of all pictures that there are of a stream: what is recorded at the instant of each of them. */
  async function sizesIn(of: Stand, stream: string): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    const source = of.archive.source("gate", stream);
    for await (const { at } of source.read({ from: unixMillis(0) }, new AbortController().signal)) {
      const [track] = await source.tracks(at);
      const size = track && pictureOf(track);
      found.add(`${size?.width}x${size?.height}`);
    }
    return found;
  }

  const NOT_SAID = "the camera does not say which of its streams it records";
  const NOT_IT = "the camera records another one of its streams, and not this one";
  const SENDS_OTHER = "what the camera replays is not of this stream, or not of it alone";
  for (const [name, card, quirks, ended, isFilled] of [
    ["by the recording jobs of the camera", "both", ["no-media-attributes"], ["fetched", undefined], true],
    ["by the size of what it has", "both", ["no-recording-jobs"], ["fetched", undefined], true],
    ["not at all where the camera has the main stream alone", true, [], ["nothing", NOT_IT], false],
    ["not at all where it says that by sizes alone", true, ["no-recording-jobs"], ["nothing", NOT_IT], false],
    [
      "not at all where the camera does not say what it has",
      "both",
      ["no-recording-jobs", "no-media-attributes"],
      ["nothing", NOT_SAID],
      false,
    ],
    ["with nothing else, where another is sent", "both", ["replays-the-main-stream"], ["nothing", SENDS_OTHER], false],
  ] as const)
    it(`happens ${name}`, async () => {
      stand = await Stand.open(quirks, card, LARGE);
      await stand.withGaps();
      const found = await filled(stand);
      expect(found.ended).to.deep.equal([
        ["main", "fetched", undefined],
        ["sub", ...ended],
      ]);
      expect(found.left.main).to.be.within(0, GOP_MS + 100);
      if (isFilled) expect(found.left.sub).to.be.within(0, GOP_MS + 100);
      else expect(found.left.sub).to.be.greaterThan(2 * SECOND);
      expect(await sizesIn(stand, "main")).to.deep.equal(new Set(["480x270"]));
      expect(await sizesIn(stand, "sub")).to.deep.equal(new Set([SUB]));
    });
});

describe("a camera with two sensors, of which it records one", () => {
  let stand: Stand;
  let proxy: Server;
  let deviceUrl = "";
  let recorded = "";

  beforeEach(async () => {
    stand = await Stand.open();
    const camera = new URL(stand.camera.deviceUrl);
    proxy = createServer((request, response) => {
      void (async () => {
        const { "content-type": type = "", authorization } = request.headers;
        const asked = await fetch(new URL(request.url ?? "", camera), {
          method: "POST",
          headers: { "content-type": type, ...(authorization === undefined ? {} : { authorization }) },
          body: await text(request),
        });
        const challenge = asked.headers.get("www-authenticate");
        const body = (await asked.text())
          .replaceAll(camera.host, new URL(deviceUrl).host)
          .replace(
            /(?=<\/(\w+):GetProfilesResponse>)/,
            '<$1:Profiles token="side"><$1:Name>side</$1:Name>SOURCE</$1:Profiles>',
          )
          .replace(
            "SOURCE",
            "<tr2:Configurations><tr2:VideoSource><tt:SourceToken>side</tt:SourceToken></tr2:VideoSource></tr2:Configurations>",
          )
          .replace(/(?<=<tt:VideoSourceToken>)\w+/, (own) => recorded || own);
        response.writeHead(asked.status, {
          "content-type": type,
          ...(challenge === null ? {} : { "www-authenticate": challenge }),
        });
        response.end(body);
      })();
    });
    proxy.listen(0, camera.hostname);
    await once(proxy, "listening");
    deviceUrl = `http://${camera.hostname}:${(proxy.address() as AddressInfo).port}${camera.pathname}`;
  });
  afterEach(async () => {
    proxy.close();
    await stand.close();
  });

  for (const [name, sensor, isTaken] of [
    ["is asked for what it has of the stream's", "", true],
    ["is not asked for what it has of the other one", "side", false],
  ] as const)
    it(name, async () => {
      recorded = sensor;
      const { side, adopted } = stand;
      const ask = { side, clock: systemClock, ca: undefined, signal: new AbortController().signal };
      const proxied = { ...adopted, record: { ...adopted.record, deviceUrl } };
      const found = await askEdge(proxied, { ...ask, ...LATELY }).then(
        ({ recordings }) => recordings.length,
        (error: unknown) => error,
      );
      if (isTaken) expect(found).to.equal(1);
      else expect(found).to.be.instanceOf(Fault).with.property("kind", "invalid");
    });
});

describe("whose recording of a camera is taken", () => {
  const one = (token: string, source?: string) => ({ token, source, from: undefined, to: undefined });
  for (const [name, recordings, sensor, expected, streamed] of [
    ["the only one", [one("a")], undefined, ["a"]],
    ["those of the only sensor", [one("a", "s"), one("b", "s")], undefined, ["a", "b"]],
    ["that of the stream's sensor", [one("a", "s"), one("b", "t")], "t", ["b"]],
    ["none", [], "s", []],
    ["refused: of several sensors, none is the stream's", [one("a", "s"), one("b", "t")], "u", undefined],
    ["refused: which sensor the stream is of is not known", [one("a", "s"), one("b", "t")], undefined, undefined],
    ["refused: several, of which none says what it is of", [one("a"), one("b")], "s", undefined],
    ["the only one, of the only sensor, by whatever name", [one("a", "card 1")], "s", ["a"], ["s", "s"]],
    ["the only one, where it names the stream's of several sensors", [one("a", "s")], "s", ["a"], ["s", "t"]],
    ["refused: the only one is of another sensor that the camera has", [one("a", "t")], "s", undefined, ["s", "t"]],
    ["refused: all are of another one", [one("a", "t"), one("b", "t")], "s", undefined, ["s", "t"]],
    ["refused: of several sensors, the only one does not say which", [one("a")], "s", undefined, ["s", "t"]],
    ["none, of several sensors", [], "s", [], ["s", "t"]],
  ] as const)
    it(name, () => {
      const found = (): readonly string[] => ofSensor(recordings, sensor, streamed).map(({ token }) => token);
      if (expected === undefined) expect(found).to.throw(Fault).with.property("kind", "invalid");
      else expect(found()).to.deep.equal(expected);
    });
});

describe("the clock of a camera's own recording", () => {
  for (const [name, told, reported, expected] of [
    ["is right where it is near ours, and nothing is taken off", 300, 20, { aheadMs: 0, quality: "camera" }],
    ["is right where the camera tells none", undefined, undefined, { aheadMs: 0, quality: "camera" }],
    ["is the one of its reports, which are exact", OFF_MS + 400, OFF_MS, { aheadMs: OFF_MS, quality: "corrected" }],
    [
      "is the one that it tells where its reports are of another",
      -OFF_MS,
      12,
      { aheadMs: -OFF_MS, quality: "corrected" },
    ],
    ["is that of its reports where it tells none", undefined, OFF_MS, { aheadMs: OFF_MS, quality: "corrected" }],
    ["is wrong where it is a second ahead", 1500, undefined, { aheadMs: 1500, quality: "corrected" }],
  ] as const)
    it(name, () => {
      expect(cameraClock(told, reported)).to.deep.equal(expected);
    });
});

describe("what is missing of a stretch", () => {
  const span = (from: number, to: number) => ({ from: unixMillis(from), to: unixMillis(to) });
  for (const [name, there, expected] of [
    ["all of it", [], [span(0, 100)]],
    ["what is before, between and behind", [span(10, 20), span(50, 60)], [span(0, 10), span(20, 50), span(60, 100)]],
    ["nothing", [span(0, 100)], []],
    ["nothing that is too short", [span(3, 50), span(54, 98)], []],
    ["what is there twice, once", [span(0, 60), span(20, 40)], [span(60, 100)]],
  ] as const)
    it(name, () => {
      expect(holesIn(span(0, 100), there, 5)).to.deep.equal(expected);
    });
});

describe("what a camera was asked for in vain", () => {
  const span = (from: number, to: number) => ({ from: unixMillis(from), to: unixMillis(to) });

  it("is asked for again in ever longer times, up to a day", async () => {
    const clock = new VirtualClock();
    const tries = new Tries(clock);
    const waits: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      tries.tried("a", span(0, 100));
      let minutes = 0;
      for (; !tries.mayTry("a", span(10, 20)); minutes += 10) await clock.advance(600 * SECOND);
      waits.push(minutes);
    }
    expect(waits).to.deep.equal([10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440]);
    expect(tries.mayTry("b", span(0, 100))).to.equal(true);
    tries.tried("a", span(0, 100));
    expect(tries.mayTry("a", span(50, 150))).to.equal(true);
  });
});
