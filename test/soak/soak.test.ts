import { readdirSync, readlinkSync } from "node:fs";
import { basename, dirname } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { MINUTE, SECOND } from "../../base/units.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import { CARRIERS, type CarrierName } from "../rtsp/server/stage.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { CountingClock } from "../support/counting-clock.ts";
import { RtspViewer } from "../support/rtsp-viewer.ts";

/** A minute has as many viewers and reconnects as two quiet hours: one viewer every five seconds, cameras that drop every quarter. */
const SOAK_SECONDS = Number(process.env["VIADUCT_SOAK_SECONDS"] ?? 60);

const MEGABYTE = 1024 * 1024;
/** How much more there may be at the end than after the first rounds: what V8 keeps compiled and pooled, and no more. */
const TOLERANCE = {
  heapBytes: 8 * MEGABYTE,
  externalBytes: 16 * MEGABYTE,
  rssBytes: 80 * MEGABYTE,
  files: 2,
  timers: 2,
};

/** What is open, by what it is: files of recordings by their folder, others by their name. */
function openFiles(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const descriptor of readdirSync("/proc/self/fd")) {
    const kind = kindOf(descriptor);
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

function kindOf(descriptor: string): string {
  try {
    const path = readlinkSync(`/proc/self/fd/${descriptor}`).replace(/:\[\d+\]$/, "");
    return /\.mp4(?:\.part)?$/.test(path)
      ? `recording of ${basename(dirname(dirname(dirname(path))))}`
      : basename(path);
  } catch {
    // The descriptor that the folder was read by.
    return "closed";
  }
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as (options?: object) => void;

type Visit = (viewer: RtspViewer, camera: string) => Promise<unknown>;
const VISITS: readonly Visit[] = [
  async (viewer, camera) => {
    await viewer.watch(`/live/${camera}`, 5);
    await viewer.ask("TEARDOWN", `/live/${camera}`);
  },
  (viewer, camera) => viewer.watch(`/live/${camera}`, 20),
  (viewer, camera) => viewer.watch(`/recorded/${camera}`, 20),
  (viewer, camera) => viewer.watch(`/recorded/${camera}?at=-2s&speed=4`, 5),
  (viewer, camera) => viewer.setUp(`/live/${camera}`),
  async (viewer, camera) => {
    await viewer.watch(`/live/${camera}`, 1);
    viewer.client.socket.pause();
  },
  (viewer) => viewer.ask("DESCRIBE", "/live/nobody"),
  (viewer, camera) => {
    viewer.client.write(`DESCRIBE rtsp://h/live/${camera} RTSP/1.0\r\nCSeq`);
    return Promise.resolve();
  },
];

describe("a bridge whose viewers come and go, and whose cameras do", function () {
  this.timeout(SOAK_SECONDS * SECOND * 4 + 10 * MINUTE);
  const clock = new CountingClock();
  let t: TestBridge;
  let login: Login;
  const cameras: SimCamera[] = [];

  before(async () => {
    t = await startTestBridge({ clock });
    for (let count = 0; count < 2; count += 1) {
      const camera = await t.camera({ width: 320, height: 176, fps: 10 });
      cameras.push(camera);
      await t.adopt(camera);
    }
    login = await t.account();
    await eventually(isRecorded);
  });
  after(() => t.close());

  const seen = () => t.cameras(login);
  const online = () => seen().filter(({ info }) => info.connection.state === "online");
  const areOnline = (): boolean => online().length === cameras.length;
  const isRecorded = async (): Promise<boolean> => {
    const extents = await Promise.all(seen().map(({ recorded }) => recorded.extent()));
    return areOnline() && extents.every((extent) => extent !== undefined);
  };
  const readers = (): number =>
    seen()
      .flatMap(({ info }) => info.streams)
      .reduce((sum, one) => sum + one.readers, 0);

  /** Every kind of visit over every carrier. In every other round a camera drops out, and what its viewers get of it is the end. */
  const round = async (number: number): Promise<void> => {
    // Only a camera that is there can drop out.
    await eventually(() => (number % 2 === 0 ? online().length > 0 : areOnline()));
    const there = online();
    const viewers: RtspViewer[] = [];
    const visits = CARRIERS.flatMap((carrier: CarrierName, index) =>
      VISITS.map(async (visit, which) => {
        const viewer = await RtspViewer.connect(t, login, carrier);
        viewers.push(viewer);
        await visit(viewer, there[(index + which) % there.length]?.info.id ?? "").catch(() => undefined);
        viewer.hangUp();
      }),
    );
    if (number % 2 === 0) await Promise.all(visits);
    else {
      const before = there.length;
      await drop(cameras[Math.floor(number / 2) % cameras.length], number % 4 === 1);
      await eventually(() => online().length < before);
      for (const viewer of viewers) viewer.hangUp();
      await Promise.all(visits);
    }
  };

  const drop = async (camera: SimCamera | undefined, garbage: boolean): Promise<void> => {
    if (garbage) camera?.sendGarbage();
    else {
      await camera?.pause();
      await camera?.resume();
    }
  };

  const areRecording = (): boolean =>
    seen().every(({ info }) =>
      info.streams.every(({ recording: { plan, state } }) => plan.mode === "off" || state === "recording"),
    );

  /** Nobody watches, and all cameras are there and recorded. */
  const measured = async () => {
    await eventually(() => t.bridge.parts.rtspSessions(login.name) === 0 && areOnline() && areRecording());
    collectGarbage();
    const { heapUsed, external, rss } = process.memoryUsage();
    return {
      heapBytes: heapUsed,
      externalBytes: external,
      rssBytes: rss,
      files: readdirSync("/proc/self/fd").length,
      timers: clock.pending,
      readers: readers(),
      open: openFiles(),
    };
  };

  it("keeps nothing of them: memory, files, timers, readers, sessions", async () => {
    for (let number = 0; number < 4; number += 1) await round(number);
    const first = await measured();
    let rounds = 0;
    const half = async (): Promise<void> => {
      const end = systemClock.monotonic() + (SOAK_SECONDS / 2) * SECOND;
      do for (let count = 0; count < 4; count += 1) await round(rounds++);
      while (systemClock.monotonic() < end);
    };
    await half();
    const middle = await measured();
    await half();
    let last = await measured();
    // What the system has given stays with the process where it was needed once, as on a machine that is busy for a while: what is kept grows on.
    const rssBytes = () => 2 * Math.min(middle.rssBytes - first.rssBytes, last.rssBytes - middle.rssBytes);
    const grownBy = () =>
      Object.fromEntries(
        Object.entries(TOLERANCE).map(([what, most]) => {
          const name = what as keyof typeof TOLERANCE;
          const more = name === "rssBytes" ? rssBytes() : last[name] - first[name];
          return [what, Math.max(0, more - most)];
        }),
      );
    // Some come and go, as the files of a segment that is sealed just now. What is kept is there whenever one looks.
    const enough = systemClock.monotonic() + MINUTE;
    await eventually(async () => {
      last = await measured();
      return Object.values(grownBy()).every((one) => one === 0) || systemClock.monotonic() > enough;
    });
    const grown = grownBy();
    const what = `${rounds * CARRIERS.length * VISITS.length} visits: ${[first, middle, last].map((one) => JSON.stringify(one)).join(" became ")}`;
    expect(grown, what).to.deep.equal({ heapBytes: 0, externalBytes: 0, rssBytes: 0, files: 0, timers: 0 });
    expect(last.readers, "readers").to.equal(first.readers);
    if (process.env["VIADUCT_SOAK_SECONDS"] !== undefined) process.stdout.write(`      ${what}\n`);
  });
});
