import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:tls";
import { expect } from "chai";
import { unixMillis } from "../../base/units.ts";
import { printMikey } from "../../media/mikey.ts";
import { MASTER_BYTES, type SrtpKeys } from "../../media/srtp-cipher.ts";
import { openPortPair } from "../../net/udp.ts";
import { Client } from "../rtsp/server/stage.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { framesOf } from "../support/frame-code.ts";
import { expectConsecutive } from "../support/frames.ts";
import { peer } from "../support/peer.ts";

/** Small, so that a client's socket holds what comes while it stands still for some seconds: a key frame is not compressed. */
const WIDTH = 320;
const HEIGHT = 176;

describe("SRTP, opened by libsrtp in GStreamer", () => {
  let t: TestBridge;
  let id: string;
  let login: Login;

  before(async () => {
    t = await startTestBridge();
    id = await t.adopt(await t.camera({ width: WIDTH, height: HEIGHT }));
    login = await t.account();
  });
  after(() => t.close());

  it("rtspsrc is refused where it may not watch, and SRTP to plain RTSP", async function () {
    const gst = peer(this, "gst-launch-1.0");
    const hidden = await t.account({ live: ["other"] });
    const refused: readonly (readonly [url: string, words: RegExp])[] = [
      [t.rtsp(hidden, `live/${id}?srtp`, "rtsps"), /not found|404/i],
      [t.rtsp(login, `live/${id}?srtp`), /461|Unsupported transport/i],
    ];
    for (const [url, words] of refused) {
      const source = ["rtspsrc", `location=${url}`, "protocols=udp", "tls-validation-flags=0"];
      const { code, stdout, stderr } = await gst.run([...source, "!", "fakesink"]);
      expect(code).not.to.equal(0);
      expect(stdout.toString() + stderr).to.match(words);
    }
  });

  for (const suite of ["AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"] as const)
    it(`srtpdec decodes every frame under a key of the client's own, with its name in each packet: ${suite}`, async function () {
      const gst = peer(this, "gst-launch-1.0");
      const keys: SrtpKeys = {
        suite,
        masterKey: randomBytes(MASTER_BYTES[suite].key),
        masterSalt: randomBytes(MASTER_BYTES[suite].salt),
        mki: Buffer.from([0, 0, 0, 42]),
      };
      const { port } = new URL(t.rtsp(login, "", "rtsps"));
      const client = new Client(
        connect({ port: Number(port), host: "127.0.0.1", rejectUnauthorized: false }),
        "rtsps://127.0.0.1",
      );
      await client.connected;
      const pair = await openPortPair("127.0.0.1");
      const [rtp, rtcp] = pair.ports;
      pair.close();
      const credentials = `Authorization: Basic ${Buffer.from(`${login.name}:${login.secret}`).toString("base64")}`;
      const message = printMikey(keys, { ssrc: 1, now: unixMillis(0) }).toString("base64");
      const asked = [
        `Transport: RTP/SAVP;unicast;client_port=${rtp}-${rtcp}`,
        `KeyMgmt: prot=mikey;uri="";data="${message}"`,
      ];
      const reply = await client.ask("SETUP", `/live/${id}/track0`, [credentials, ...asked], "");
      client.session = reply.header("session")?.split(";")[0];
      const running = gst.start(srtpdec(rtp, keys, reply.header("transport") ?? ""));
      const chunks: Buffer[] = [];
      running.child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
      // Nothing says that its port is open but the port itself.
      await eventually(() => isTaken(rtp));
      expect((await client.ask("PLAY", `/live/${id}`, [credentials], "")).status).to.equal(200);
      await once(running.child, "close");
      client.socket.destroy();
      expectConsecutive(framesOf(Buffer.concat(chunks), WIDTH, HEIGHT), 40);
    });
});

/** What a gst-launch needs that knows the keys. */
function srtpdec(port: number, { suite, masterKey, masterSalt, mki }: SrtpKeys, transport: string): readonly string[] {
  const ssrc = Number.parseInt(/ssrc=([0-9A-F]{8})/.exec(transport)?.[1] ?? "", 16);
  const [cipher, auth] = suite === "AEAD_AES_128_GCM" ? ["aes-128-gcm", "null"] : ["aes-128-icm", "hmac-sha1-80"];
  const key = Buffer.concat([masterKey, masterSalt]).toString("hex");
  const caps = [
    "caps=application/x-srtp,media=video,clock-rate=90000,encoding-name=H264,payload=96",
    `ssrc=(uint)${ssrc},roc=(uint)0,srtp-key=(buffer)${key},mki=(buffer)${mki.toString("hex")}`,
    `srtp-cipher=${cipher},srtp-auth=${auth},srtcp-cipher=${cipher},srtcp-auth=${auth}`,
  ].join(",");
  // A queue of its own, so that the socket is read while the decoder starts.
  const decode =
    "queue max-size-bytes=0 max-size-buffers=0 max-size-time=0 ! srtpdec ! rtph264depay ! h264parse ! avdec_h264 ! videoconvert ! video/x-raw,format=GRAY8";
  const end = "identity eos-after=41 ! fdsink fd=1 sync=false";
  return [
    "-q",
    "udpsrc",
    `port=${port}`,
    "address=127.0.0.1",
    "buffer-size=1048576",
    caps,
    ...`! ${decode} ! ${end}`.split(" "),
  ];
}

async function isTaken(port: number): Promise<boolean> {
  try {
    const pair = await openPortPair("127.0.0.1", { first: port, last: port + 1 });
    pair.close();
    return false;
  } catch {
    return true;
  }
}
