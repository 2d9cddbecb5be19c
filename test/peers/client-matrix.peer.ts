import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Context } from "mocha";
import { expectSeconds } from "../support/beeps.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { LOG_INS, MATRIX, type MatrixRow, stretchAddress } from "../support/client-matrix.ts";
import { type ClientNetwork, makeClientNetwork, NETWORK } from "../support/client-network.ts";
import { framesOf } from "../support/frame-code.ts";
import { expectConsecutive, UDP_BUFFER_BYTES } from "../support/frames.ts";
import { GST_WATCH } from "../support/gst-watch.ts";
import { startLogInRelay } from "../support/log-in-relay.ts";
import { DEBIAN_PYTHON, missing, type Outcome, type Peer, peer, pythonPeer } from "../support/peer.ts";

const WIDTH = 320;
const HEIGHT = 176;
const FPS = 15;
/** What is watched of each. */
const SECONDS = 4;
const CURL = join(import.meta.dirname, "../support/curl-rtsp.py");
const REFUSED = /401|unauthorized|not authorized/i;

/** What a client made of an address. */
interface Watched extends Outcome {
  /** 16-bit samples. */
  readonly sound: Buffer;
}

describe("clients that nobody here wrote", () => {
  /** The clients are on another machine, as far as one is enough for that. */
  let network: ClientNetwork | undefined;
  let address: string;
  let folder: string;
  let t: TestBridge;
  let id: string;
  let login: Login;

  before(async function () {
    network = makeClientNetwork(this);
    address = network?.address ?? "127.0.0.1";
    folder = await mkdtemp(join(tmpdir(), "viaduct-matrix-"));
    t = await startTestBridge({ clientAddress: address, multicast: network !== undefined });
    id = await t.adopt(await t.camera({ audio: true, width: WIDTH, height: HEIGHT }));
    login = await t.account();
  });
  after(async () => {
    await t?.close();
    network?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** One each: a sixth guess at one account, or a twenty-first from one address, would have to wait. */
  const guesser = async (): Promise<Login> => ({ ...(await t.account()), secret: "wrong" });

  const there = (context: Context, program: string): Peer => network?.peer(context, program) ?? peer(context, program);

  const stretch = async (): Promise<string> => {
    const source = t.cameras(login)[0]?.recorded;
    let found: string | undefined;
    await eventually(async () => {
      found = source && (await stretchAddress(source, id, SECONDS));
      return found !== undefined;
    });
    return found ?? "";
  };

  const watch = async (
    context: Context,
    client: MatrixRow["client"],
    [scheme, transport]: readonly [string, string],
    rest: string,
  ): Promise<Watched> => {
    const file = join(folder, "sound");
    await rm(file, { force: true });
    const url = `${scheme}://${rest}`;
    const isLive = rest.includes("/live/");
    let outcome: Outcome;
    if (client === "ffmpeg") {
      const buffer = ["-buffer_size", `${UDP_BUFFER_BYTES}`];
      const input = ["-rtsp_transport", transport, ...buffer, ...(isLive ? ["-t", `${SECONDS}`] : []), "-i", url];
      const picture = ["-map", "0:v", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-"];
      const args = ["-v", "warning", ...input, ...picture, "-map", "0:a", "-f", "s16le", file];
      outcome = await there(context, "ffmpeg").run(args);
    } else {
      pythonPeer(context, "gi.repository.Gst");
      const most = isLive ? ["--frames", `${SECONDS * FPS}`] : [];
      const args = [GST_WATCH, url, "--protocols", transport, "--sound", file, ...most];
      outcome = await there(context, DEBIAN_PYTHON).run(args);
    }
    return { ...outcome, sound: await readFile(file).catch(() => Buffer.alloc(0)) };
  };

  for (const { client, over, way } of MATRIX)
    describe(`${client} over ${over}`, () => {
      const row = (context: Context, who: Login, path: string): Promise<Watched> => {
        if (over === "multicast" && network === undefined) missing(context, NETWORK);
        const known = client === "ffmpeg" ? way.ffmpeg : way.gstreamer;
        if (known === undefined) throw new Error("not a row of the matrix");
        const query = way.query === undefined ? "" : `${path.includes("?") ? "&" : "?"}${way.query}`;
        const port = t.bridge.parts.addresses().doors[way.door];
        return watch(context, client, known, `${who.name}:${who.secret}@${address}:${port}/${path}${query}`);
      };

      it("plays live: every frame and every sample once, in order", async function () {
        const { code, stdout, stderr, sound } = await row(this, login, `live/${id}`);
        expect(stdout.length, `exit code ${code}: ${stderr}`).to.be.above(0);
        expectConsecutive(framesOf(stdout, WIDTH, HEIGHT), SECONDS * FPS - 1);
        expectSeconds(sound, SECONDS / 2);
      });

      if (way.isLiveOnly !== true)
        it("plays a recording: every frame and every sample once, in order, and ends by itself", async function () {
          const { code, stdout, stderr, sound } = await row(this, login, await stretch());
          expect(code, stderr).to.equal(0);
          const frames = framesOf(stdout, WIDTH, HEIGHT);
          expectConsecutive(frames, SECONDS * FPS - 1);
          // From the key frame before the stretch on.
          expect(frames.length).to.be.at.most((SECONDS + 2) * FPS + 1);
          expectSeconds(sound, SECONDS - 0.5);
        });

      it("is refused with a wrong secret, and sees nothing", async function () {
        const { code, stdout, stderr, sound } = await row(this, await guesser(), `live/${id}`);
        expect(code).not.to.equal(0);
        expect(stderr).to.match(REFUSED);
        expect([stdout.length, sound.length]).to.deep.equal([0, 0]);
      });
    });

  for (const { client, shown, isInTls, answers } of LOG_INS)
    it(`${client} logs in with ${answers}${isInTls ? " inside TLS" : ""}, shown ${shown === "all" ? "everything" : shown}, and is refused with a wrong secret`, async function () {
      const port = t.bridge.parts.addresses().doors[isInTls ? "rtsps" : "rtsp"] ?? 0;
      const relay = await startLogInRelay({ address, server: { host: address, port }, isInTls, shown });
      try {
        const seen: number[] = [];
        for (const who of [login, await guesser()]) {
          const host = `${address}:${relay.port}/live/${id}`;
          const { code, stdout, stderr } =
            client === "libcurl"
              ? await there(this, DEBIAN_PYTHON).run([
                  CURL,
                  `rtsp://${host}`,
                  "--user",
                  who.name,
                  "--password",
                  who.secret,
                  "--packets",
                  "100",
                ])
              : await watch(this, client, ["rtsp", "tcp"], `${who.name}:${who.secret}@${host}`);
          if (who === login) expect(code, stderr).to.equal(0);
          else expect(stderr).to.match(REFUSED);
          seen.push(stdout.length);
        }
        expect(seen[0]).to.be.above(0);
        expect(seen[1]).to.equal(0);
        expect([...relay.answers]).to.deep.equal([answers]);
      } finally {
        relay.close();
      }
    });
});
