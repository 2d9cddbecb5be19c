import { expect } from "chai";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { peer } from "../support/peer.ts";

/** For ffmpeg's `-rtsp_transport`, and by which door it comes. */
interface Way {
  readonly name: string;
  readonly ffmpeg: string;
  readonly door: "http" | "https" | "rtsp";
}

const WAYS: readonly Way[] = [
  { name: "HTTP", ffmpeg: "http", door: "http" },
  { name: "HTTPS", ffmpeg: "https", door: "https" },
  { name: "UDP", ffmpeg: "udp", door: "rtsp" },
];

describe("rights over transports beside RTSP over TCP", () => {
  let t: TestBridge;
  let id: string;

  before(async () => {
    t = await startTestBridge();
    id = await t.adopt(await t.camera());
  });
  after(() => t.close());

  const url = ({ door }: Way, who: Login, path: string): string =>
    `rtsp://${who.name}:${who.secret}@127.0.0.1:${t.bridge.parts.addresses().doors[door]}/${path}`;

  for (const way of WAYS) {
    const refused: readonly (readonly [why: string, address: () => Promise<string>, words: RegExp])[] = [
      ["a hidden camera", async () => url(way, await t.account({ live: ["other"] }), `live/${id}`), /404/],
      ["what is not granted", async () => url(way, await t.account({ live: "any" }), `recorded/${id}`), /403/],
    ];
    for (const [why, address, words] of refused)
      it(`ffprobe is refused for ${why} over ${way.name}`, async function () {
        const ffprobe = peer(this, "ffprobe");
        const { code, stderr } = await ffprobe.run(["-v", "error", "-rtsp_transport", way.ffmpeg, await address()]);
        expect(code).not.to.equal(0);
        expect(stderr).to.match(words);
      });

    it(`a running stream ends when its account is disabled, over ${way.name}`, async function () {
      const ffmpeg = peer(this, "ffmpeg");
      const other = await t.account();
      const input = ["-v", "error", "-rtsp_transport", way.ffmpeg, "-i", url(way, other, `live/${id}`)];
      const running = ffmpeg.run([...input, "-f", "null", "-"]);
      const { rtspSessions, accounts } = t.bridge.parts;
      await eventually(() => rtspSessions(other.name) > 0);
      await accounts.change(other.id, { enabled: false });
      await eventually(() => rtspSessions(other.name) === 0);
      const { code } = await running;
      expect(code).not.to.equal(null);
    });
  }
});
