import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect } from "chai";
import { MINUTE, SECOND } from "../../base/units.ts";
import { START, slice } from "../media/receiver-fixture.ts";
import { type Asked, answer, framed, type Script, VIDEO_SDP } from "../rtsp/client/fake-camera.ts";
import { type Numbers, Pulled } from "./pulled.ts";

const MEGABYTE = 1024 * 1024;
const many = (count: number, make: (index: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));
const BYE_BOMB = framed(
  1,
  many(16_000, () => Buffer.from("80cb0000", "hex")),
);
const LONG_SPS = Buffer.concat([Buffer.from("674d0028", "hex"), Buffer.alloc(4000)]);
/** pic_width_in_mbs and pic_height_in_map_units of 2^31 - 1: a picture that no memory holds. */
const HUGE_SPS = Buffer.from(`6742c00d${"00000003".repeat(2)}fffffffc${"00000001fffffffe".repeat(2)}80`, "hex");

/** [what the camera sends while it plays, its bytes]: after all of it the session goes on with the next picture. */
const STREAMS: readonly (readonly [string, (numbers: Numbers) => Buffer])[] = [
  [
    "a picture of 20 MB that never ends",
    (n) => many(300, () => framed(0, n.packet(Buffer.concat([Buffer.of(0x7c, 0x05), Buffer.alloc(65_000, 0x55)])))),
  ],
  [
    "a picture of a hundred thousand packets with nothing in them",
    (n) => many(100_000, () => framed(0, n.packet(Buffer.of(0x41)))),
  ],
  ["packets that are too short", () => many(20_000, (index) => framed(0, Buffer.alloc(index % 12, 0x80)))],
  [
    "another source with each packet",
    (n) => many(20_000, (ssrc) => framed(0, n.packet(slice(1), { ssrc, marker: true }))),
  ],
  [
    "times that jump with each picture",
    (n) =>
      many(5000, (index) =>
        framed(0, n.packet(slice(1), { marker: true, timestamp: Math.imul(index, 0x9e3779b1) >>> 0 })),
      ),
  ],
  ["a hundred RTCP packets of sixteen thousand parts", () => many(100, () => BYE_BOMB)],
  [
    "lengths that lie: padding and extensions beyond the packet",
    (n) =>
      many(5000, (index) => {
        const packet = n.packet(Buffer.alloc(20, 0xff), { marker: true });
        packet[0] = 0x80 | ([0x20, 0x10, 0x0f, 0x3f][index % 4] ?? 0);
        return framed(0, packet);
      }),
  ],
  ["aggregations of nothing", (n) => many(5000, () => framed(0, n.packet(Buffer.from("780000000000", "hex"))))],
  ["pictures of a size that no memory holds", (n) => many(2000, () => framed(0, n.packet(HUGE_SPS)))],
  [
    "parameter sets of four kilobytes, each another one",
    (n) =>
      many(2000, (index) => {
        const sps = Buffer.from(LONG_SPS);
        sps.writeUInt32BE(index, 8);
        return framed(0, n.packet(sps));
      }),
  ],
  [
    "two thousand picture parameter sets",
    (n) =>
      many(2000, (index) =>
        framed(0, n.packet(Buffer.from([0x68, 0x80 >> (index % 8), index & 0xff, index >> 8, 0x80]))),
      ),
  ],
  [
    "packets on channels that nobody has set up",
    () => many(3000, (index) => framed(2 + (index % 250), Buffer.alloc(16))),
  ],
  ["answers to nothing", () => many(3000, (index) => Buffer.from(`RTSP/1.0 200 OK\r\nCSeq: ${9000 + index}\r\n\r\n`))],
];

/** [what the camera does while it plays, the bytes, what is said of it]. */
const ENDINGS: readonly (readonly [string, Buffer, RegExp])[] = [
  ["a head without end", Buffer.from(`RTSP/1.0 200 OK\r\nX: ${"x".repeat(100_000)}`), /longer/],
  ["a thousand header lines", Buffer.from(`RTSP/1.0 200 OK\r\n${"X: y\r\n".repeat(1000)}`), /header lines/],
  ["a body of 4 GB", Buffer.from("RTSP/1.0 200 OK\r\nContent-Length: 4294967295\r\n\r\n"), /Content-Length/],
  ["rubbish without end", Buffer.alloc(300_000, 0xee), /between messages/],
  ["a packet that never ends", Buffer.from("$\0\xff\xffabc", "latin1"), /stopped sending/],
  [
    "REDIRECT",
    Buffer.from("REDIRECT rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\nLocation: rtsp://192.0.2.1/\r\n\r\n"),
    /REDIRECT/,
  ],
];

describe("a hostile camera", () => {
  let pulled: Pulled;
  let honest: Pulled;

  const start = async (script: Script = {}): Promise<void> => {
    [pulled, honest] = await Promise.all([Pulled.from(script), Pulled.from()]);
    await honest.playing();
    await honest.flows();
  };
  afterEach(async () => {
    await honest.flows();
    expect(honest.states.map(({ state }) => state)).to.deep.equal(["connecting", "online"]);
    await Promise.all([pulled.close(), honest.close()]);
  });

  for (const [what, bytes] of STREAMS)
    it(`that sends ${what} costs little, and its next picture comes`, async () => {
      await start();
      await pulled.playing();
      await pulled.flows();
      pulled.camera.send(bytes(pulled.numbers));
      await pulled.flows();
      expect(pulled.states.map(({ state }) => state)).to.deep.equal(["connecting", "online"]);
      const largest = Math.max(...pulled.groups.map((group) => group.memoryBytes));
      expect(largest, "of one picture").to.be.below(12 * MEGABYTE);
      expect(pulled.hub.tracks[0]?.fmtp.length ?? 0, "of its description").to.be.below(64 * 1024);
      for (const { at } of pulled.groups) expect(Math.abs(at - START)).to.be.below(MINUTE);
    });

  for (const [what, bytes, why] of ENDINGS)
    it(`that sends ${what} is left, and asked again later`, async () => {
      await start();
      await pulled.playing();
      await pulled.flows();
      pulled.camera.send(bytes);
      await pulled.until(() => pulled.states.some(({ state }) => state === "offline"));
      const offline = pulled.states.find(({ state }) => state === "offline");
      expect(offline !== undefined && "why" in offline ? offline.why : "").to.match(why);
      await pulled.until(() =>
        pulled.camera.asked.some(({ method, connection }) => method === "PLAY" && connection > 0),
      );
      await pulled.flows();
    });

  it("that never reads what is asked of us is left", async () => {
    await start();
    await pulled.playing();
    pulled.camera.pause();
    pulled.camera.send(many(200_000, (index) => Buffer.from(`OPTIONS * RTSP/1.0\r\nCSeq: ${index}\r\n\r\n`)));
    await pulled.until(() => pulled.states.some(({ state }) => state === "offline"), 10);
  });

  it("that answers a byte a second is given up in time, at each request", async () => {
    const slow = (asked: Asked): string | undefined => {
      const text = answer(asked, [], VIDEO_SDP);
      for (const [index, letter] of text.split("").entries())
        pulled.clock.after(index * SECOND, () => pulled.camera.send(letter));
      return undefined;
    };
    await start({ DESCRIBE: slow });
    await pulled.until(() => pulled.states.some(({ state }) => state === "offline"));
    expect(pulled.clock.now() - START).to.be.below(15 * SECOND);
  });

  it("that fails at once is asked less and less often", async () => {
    await start({
      OPTIONS: (asked) => answer(asked, [], "", "500 No"),
      DESCRIBE: (asked) => answer(asked, [], "", "500 No"),
    });
    await pulled.until(() => pulled.clock.now() - START >= 10 * MINUTE, 5 * SECOND);
    expect(pulled.camera.connections).to.be.within(5, 60);
  });

  it("that redirects in a circle, or elsewhere, leads nowhere", async () => {
    const victim = createServer();
    victim.listen(0, "127.0.0.2");
    await once(victim, "listening");
    let reached = 0;
    victim.on("connection", (socket) => {
      reached += 1;
      socket.destroy();
    });
    const { port } = victim.address() as AddressInfo;
    const targets = [
      `rtsp://127.0.0.2:${port}/`,
      `rtsp://127.0.0.1@127.0.0.2:${port}/`,
      "rtsp://169.254.169.254/latest/meta-data",
      "rtsp://localhost:22/",
      "http://127.0.0.1/",
      "file:///etc/passwd",
      "//127.0.0.2/",
    ];
    let next = 0;
    await start({
      DESCRIBE: (asked) => answer(asked, [`Location: ${targets[next++ % targets.length]}`], "", "302 Moved"),
    });
    await pulled.until(() => next >= targets.length, 5 * SECOND);
    next = 0;
    expect(reached).to.equal(0);
    victim.close();
  });

  it("that names other hosts in its description is asked at its own address", async () => {
    const sdp = VIDEO_SDP.replace("a=control:trackID=0", "a=control:rtsp://127.0.0.2:22/x").replace(
      "c=IN IP4 0.0.0.0",
      "c=IN IP4 127.0.0.2",
    );
    await start({
      DESCRIBE: (asked) =>
        answer(asked, ["Content-Base: rtsp://169.254.169.254/", "Content-Type: application/sdp"], sdp),
    });
    await pulled.playing();
    await pulled.flows();
    expect(
      pulled.camera.asked.filter(({ method }) => method === "SETUP").map(({ uri }) => new URL(uri).hostname),
    ).to.deep.equal(["127.0.0.1"]);
  });
});
