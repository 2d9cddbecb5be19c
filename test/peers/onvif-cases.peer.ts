import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { GST_LOGIN, type GstCamera, type GstMount, startGstCamera } from "../support/gst-camera.ts";
import { pythonPeer } from "../support/peer.ts";

const RUN = join(import.meta.dirname, "../support/onvif-cases/run.py");
const CONFORMANCE = join(import.meta.dirname, "../../docs/conformance.md");

/** Cases of the specifications, in the editions that the table names. */
const PUBLISHED = {
  REPLAY: 51,
  MEDIA2_RTSS: 104,
  EVENT: 53,
  MEDIA2: 70,
  SEARCH: 44,
  RECORDING: 40,
  PTZ: 34,
  MEDIA2_PTZ: 15,
  DEVICE: 116,
  DISCOVERY: 14,
  IPCONFIG: 5,
  SECURITY: 2,
};

/** Cameras that have among them everything that the cases are about: each codec, metadata, and a speaker. */
const MOUNTS: readonly GstMount[] = ["h264pcmumeta", "h265aac", "talk"];

/** As much as the longest case needs: KEPT of replay_cases.py, from SETTLED on, and so old that all of it is on the disk. */
const RECORDED_MS = 28_000;

/** For what hangs: all cases of one bridge together. */
const LIMIT_MS = 600_000;

interface Outcome {
  readonly case: string;
  /** Absent: it passed. */
  readonly why?: string;
}

/** What the table says of each case: `| family | 1–3, 5 | what | result |`. */
function told(): readonly { readonly case: string; readonly result: string }[] {
  const rows = readFileSync(CONFORMANCE, "utf8").matchAll(/^\| `([\w-]+)` \| ([\d, –]+) \| .* \| (.+) \|$/gm);
  return [...rows].flatMap(([, family, cases = "", result = ""]) =>
    cases.split(", ").flatMap((part) => {
      const [first = 0, last = first] = part.split("–").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => ({ case: `${family}-${first + index}`, result }));
    }),
  );
}

/** Adopts the cameras; returns a log-in for all that the cases ask for. */
async function ready(t: TestBridge, gst: GstCamera): Promise<Login> {
  for (const mount of MOUNTS)
    await t.bridge.parts.discovery.adopt(
      { rtsp: gst.url(mount).href },
      { name: mount, credentials: GST_LOGIN, plainText: true },
    );
  const watching = {
    live: "any",
    playback: "any",
    audio: "any",
    metadata: "any",
    events: "any",
    search: "any",
    talk: "any",
  } as const;
  return t.account({ ...watching, ptz: "any", presets: "any", relay: "any" });
}

/** Adopts one that can be moved. */
async function withHead(t: TestBridge): Promise<void> {
  const id = await t.adopt(await t.camera({ controls: true, name: "Head" }));
  await eventually(() =>
    t.bridge.parts.watch.all().some(({ info, control }) => info.id === id && control.controls.ptz),
  );
}

describe("the published ONVIF test cases", () => {
  let t: TestBridge;
  /** The same cameras behind a bridge whose clients come over IPv6. */
  let six: TestBridge;
  let gst: GstCamera;
  let outcomes: ReadonlyMap<string, Outcome>;
  const passing = told().filter(({ result }) => result === "pass");

  before(async function () {
    this.timeout(3 * LIMIT_MS);
    const python = pythonPeer(this);
    t = await startTestBridge({ multicast: true });
    gst = await startGstCamera(this, { auth: true, address: t.cameraAddress() });
    six = await startTestBridge({ clientAddress: "::1", network: t.cameraNetwork.replace(/\.0\/24$/, "") });
    const logins = await Promise.all([t, six].map((one) => ready(one, gst)));
    // After the others, which are taken first where any camera will do.
    await withHead(t);
    for (const { recorded } of t.cameras(logins[0] as Login))
      await eventually(async () => {
        const extent = await recorded.extent();
        return extent !== undefined && extent.to - extent.from > RECORDED_MS;
      });
    const lines: string[] = [];
    for (const [index, bridge] of [t, six].entries()) {
      const { name, secret } = logins[index] as Login;
      const { http, https } = bridge.bridge.parts.addresses().doors;
      const host = bridge === six ? "[::1]" : "127.0.0.1";
      const devices = [`http://${host}:${http}`, `https://${host}:${https}`].map((at) => `${at}/onvif/device_service`);
      const certificate = join(bridge.folder, "tls-cert.pem");
      const run = await python.run([RUN, ...devices, certificate, name, secret], { limitMs: LIMIT_MS });
      const some = run.stdout.toString().trim().split("\n");
      expect(some.length, run.stderr).to.be.above(1);
      lines.push(...some);
    }
    outcomes = new Map(lines.map((line) => JSON.parse(line) as Outcome).map((one) => [one.case, one]));
  });
  after(async () => {
    await gst?.close();
    await t?.close();
    await six?.close();
  });

  for (const one of passing)
    it(one.case, () => {
      expect(outcomes.get(one.case)).to.deep.equal({ case: one.case });
    });

  it("are all in the table, each once, and those that are run are said to pass", () => {
    const all = told().map((one) => one.case);
    expect(new Set(all).size).to.equal(all.length);
    for (const [family, count] of Object.entries(PUBLISHED))
      expect(all.filter((one) => one.startsWith(`${family}-`)).length, family).to.equal(count);
    expect(passing.map((one) => one.case)).to.have.members([...outcomes.keys()]);
  });
});
