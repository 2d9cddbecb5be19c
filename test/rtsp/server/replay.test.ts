import { expect } from "chai";
import { unixMillis, unixOfNtp } from "../../../base/units.ts";
import { START } from "../../media/receiver-fixture.ts";
import { CARRIERS, type Client, onStage, Stage } from "./stage.ts";

/** What a client reads of one packet: the number in it, and the header extension (ONVIF Streaming 6.3). */
interface Seen {
  readonly number: number;
  readonly sequence: number;
  readonly rtpTime: number;
  readonly at: number | undefined;
  /** `C`, `E`, `D`, `T`, as they are set. */
  readonly flags: string;
  readonly cseq: number | undefined;
}

function seen(packet: Buffer): Seen {
  const extended = ((packet[0] ?? 0) & 0x10) !== 0;
  const flags = extended ? (packet[24] ?? 0) : 0;
  return {
    number: packet.readUInt32BE(extended ? 28 : 12),
    sequence: packet.readUInt16BE(2),
    rtpTime: packet.readUInt32BE(4),
    at: extended ? unixOfNtp({ seconds: packet.readUInt32BE(16), fraction: packet.readUInt32BE(20) }) : undefined,
    flags: ["C", "E", "D", "T"].filter((_, bit) => (flags & (0x80 >> bit)) !== 0).join(""),
    cseq: extended ? packet[25] : undefined,
  };
}

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);
const ONVIF = "Require: onvif-replay";
const UNPACED = "Rate-Control: no";
const BACKWARD = "Scale: -1.0";

let stage: Stage;
let client: Client;

const keep = (made: Stage, first: Client): void => {
  stage = made;
  client = first;
};

describe("ONVIF replay", () => {
  onStage(keep);

  const sent = (channel = 0): readonly Seen[] =>
    client.packets.filter((one) => one.channel === channel).map(({ packet }) => seen(packet));
  /** Plays the picture until `count` packets have come. */
  const play = async (headers: readonly string[], count: number): Promise<readonly Seen[]> => {
    const reply = await client.play("/recorded/gate", { headers });
    expect(reply.status).to.equal(200);
    await client.until(() => sent().length >= count);
    return sent();
  };

  it("without rate control comes as fast as it is taken, each access unit with the time of its capture", async () => {
    const units = await play([ONVIF, UNPACED, "Range: clock=20260101T000010Z-20260101T000040Z"], 300);
    expect(units.map(({ number }) => number)).to.deep.equal(range(100, 400));
    for (const { number, at } of units) expect(at).to.be.closeTo(unixMillis(START + number * 100), 0.001);
    expect(client.reports(), "reports").to.deep.equal([]);
  });

  for (const carrier of CARRIERS.filter((one) => one !== "UDP"))
    it(`reaches a client that is slow whole and in order, through ${carrier}`, async () => {
      const large = new Stage({ recordedBytes: 50_000 });
      await large.start();
      const slow = await large.client(carrier);
      // A chunk each turn of the loop, in which the server makes several.
      slow.socket.on("data", () => {
        slow.socket.pause();
        setImmediate(() => slow.socket.resume());
      });
      const headers = [ONVIF, UNPACED, "Range: clock=20260101T000010Z-20260101T000040Z"];
      expect((await slow.play("/recorded/gate", { headers })).status).to.equal(200);
      await slow.until(() => slow.numbers().length >= 300);
      const units = slow.packets.filter(({ channel }) => channel === 0).map(({ packet }) => packet.subarray(28));
      expect(units.map((payload) => payload.readUInt32BE(0))).to.deep.equal(range(100, 400));
      for (const payload of units)
        expect(
          payload.subarray(4).every((byte) => byte === (payload[3] ?? -1)),
          "mixed",
        ).to.equal(true);
      slow.socket.destroy();
      await large.close();
    });

  it("marks clean points, the terminal frame, and what follows a gap", async () => {
    const units = await play([ONVIF, UNPACED, "Range: clock=20260101T000001Z-20260101T000006Z"], 20);
    expect(units.map(({ number }) => number)).to.deep.equal([...range(10, 20), ...range(50, 60)]);
    expect(units.filter(({ flags }) => flags !== "").map(({ number, flags }) => `${number}${flags}`)).to.deep.equal([
      "10C",
      "19E",
      "50CD",
      "59T",
    ]);
  });

  it("carries the low byte of the PLAY's CSeq", async () => {
    const [first] = await play([ONVIF, UNPACED, "Range: clock=20260101T000010Z-20260101T000011Z"], 10);
    // SETUP was the first request, PLAY the second.
    expect(first?.cseq).to.equal(2);
  });

  it("goes backwards by groups of pictures, each marked as a discontinuity", async () => {
    const units = await play([ONVIF, UNPACED, BACKWARD, "Range: clock=20260101T000008.500Z-20260101T000006Z"], 26);
    expect(units.map(({ number }) => number)).to.deep.equal([...range(80, 86), ...range(70, 80), ...range(60, 70)]);
    expect(units.filter(({ flags }) => flags !== "").map(({ number, flags }) => `${number}${flags}`)).to.deep.equal([
      "80CD",
      "70CD",
      "60CD",
      "69T",
    ]);
    const sequences = units.map(({ sequence }) => sequence);
    expect(new Set(sequences).size).to.equal(sequences.length);
    for (const { number, rtpTime } of units) expect(rtpTime).to.equal(number * 9000);
  });

  it("tells in the answer where it begins backwards", async () => {
    const reply = await client.play("/recorded/gate", {
      headers: [ONVIF, UNPACED, BACKWARD, "Range: clock=20260101T000008.500Z-20260101T000006Z"],
    });
    expect(reply.header("range")).to.equal("clock=20260101T000008.000Z-20260101T000006.000Z");
  });

  it("marks the end of a section backwards, and the beginning of the footage", async () => {
    const units = await play([ONVIF, UNPACED, BACKWARD, "Range: clock=20260101T000005.500Z-"], 26);
    expect(units.map(({ number }) => number)).to.deep.equal([...range(50, 56), ...range(10, 20), ...range(0, 10)]);
    expect(units.filter(({ flags }) => flags !== "").map(({ number, flags }) => `${number}${flags}`)).to.deep.equal([
      "50CD",
      "55E",
      "10CD",
      "0CD",
      "9ET",
    ]);
  });

  it("gives key frames alone, and some of them", async () => {
    const window = "Range: clock=20260101T000010Z-20260101T000020Z";
    const keys = await play([ONVIF, UNPACED, "Frames: intra", window], 10);
    expect(keys.map(({ number }) => number)).to.deep.equal(range(0, 10).map((index) => 100 + index * 10));
    // What was left out is not lost.
    const [first = 0, ...others] = keys.map(({ sequence }) => sequence);
    expect(others).to.deep.equal(others.map((_, index) => (first + index + 1) & 0xffff));
    client.packets.length = 0;
    await client.ask("PLAY", "/recorded/gate", [ONVIF, UNPACED, "Frames: intra/4000", window]);
    await client.until(() => sent().length >= 3);
    expect(sent().map(({ number }) => number)).to.deep.equal([100, 140, 180]);
  });

  it("jumps at once, and marks it", async () => {
    await play([ONVIF, "Range: clock=20260101T000010Z-"], 11);
    client.packets.length = 0;
    await client.ask("PLAY", "/recorded/gate", [ONVIF, "Immediate: yes", "Range: clock=20260101T000050Z-"]);
    await client.until(() => sent().some(({ number }) => number >= 505));
    const after = sent().filter(({ cseq }) => cseq === 3);
    expect(after[0]).to.include({ number: 500, flags: "CD" });
    expect(after[1]).to.include({ number: 501, flags: "" });
    // In RTP it is no jump (RFC 2326 B).
    const [first = 0, ...others] = sent().map(({ sequence }) => sequence);
    expect(others).to.deep.equal(others.map((_, index) => (first + index + 1) & 0xffff));
    expect(sent().filter(({ number }) => number > 130 && number < 500)).to.deep.equal([]);
  });

  it("keeps the session at the end of the footage, and sends what is recorded then", async () => {
    const units = await play([ONVIF, UNPACED, "Range: clock=20260101T000138Z-"], 20);
    expect(units.map(({ number }) => number)).to.deep.equal(range(980, 1000));
    expect(units.some(({ flags }) => flags.includes("T"))).to.equal(false);
    await stage.clock.advance(600_000);
    expect((await client.ask("GET_PARAMETER", "/recorded/gate")).status).to.equal(200);
    expect(stage.server.sessions("vms")).to.equal(1);
    expect(client.reports(), "reports and goodbyes").to.deep.equal([]);
  });

  it("sends sound and picture in the order of capture", async () => {
    await client.play("/recorded/gate", {
      tracks: 2,
      headers: [ONVIF, UNPACED, "Range: clock=20260101T000010Z-20260101T000011Z"],
    });
    await client.until(() => client.packets.length >= 20);
    expect(client.packets.map(({ channel }) => channel)).to.deep.equal(range(0, 20).map((index) => (index % 2) * 2));
    expect(sent(2).at(-1)).to.include({ number: 109, flags: "CT" });
  });

  const refused: readonly (readonly [what: string, headers: readonly string[], status: number])[] = [
    ["a scale without rate control", [UNPACED, "Scale: 4.0"], 400],
    ["frames that it does not choose", ["Frames: bidirectional"], 400],
    ["a range that goes back while the scale does not", ["Range: clock=20260101T000020Z-20260101T000010Z"], 457],
    [
      "a scale that goes back while the range does not",
      [BACKWARD, "Range: clock=20260101T000010Z-20260101T000020Z"],
      457,
    ],
  ];
  for (const [what, headers, status] of refused)
    it(`refuses ${what} with ${status}, and goes on`, async () => {
      expect((await client.play("/recorded/gate", { headers: [ONVIF, ...headers] })).status).to.equal(status);
      expect((await client.ask("PLAY", "/recorded/gate", [ONVIF])).status).to.equal(200);
    });

  it("is refused for live video, at each request", async () => {
    for (const [method, path] of [
      ["DESCRIBE", "/live/gate"],
      ["SETUP", "/live/gate/track0"],
    ] as const) {
      const reply = await client.ask(method, path, [ONVIF, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"]);
      expect(reply.status, method).to.equal(551);
      expect(reply.header("unsupported")).to.equal("onvif-replay");
    }
  });
});

describe("a plain player's replay", () => {
  onStage(keep);

  const numbers = (): readonly number[] => client.numbers();

  it("at four times the speed comes four times as fast, in RTP times that players show so", async () => {
    await client.play("/recorded/gate", { headers: ["Scale: 4.0", "Range: clock=20260101T000010Z-20260101T000030Z"] });
    await client.until(() => numbers().length >= 41);
    expect(numbers().at(-1)).to.equal(140);
    await stage.clock.advance(4000);
    await client.until(() => client.reports().includes(201));
    expect(client.reports(), "reports that would set the times right").not.to.include(200);
    expect(numbers()).to.deep.equal(range(100, 300));
    const times = client.packets.filter(({ channel }) => channel === 0).map(({ packet }) => packet.readUInt32BE(4));
    expect(times.map((time) => time - (times[0] ?? 0))).to.deep.equal(range(0, 200).map((index) => index * 2250));
  });

  it("is delivered faster, in the RTP times of the capture, where Speed is asked for", async () => {
    const reply = await client.play("/recorded/gate", {
      headers: ["Speed: 4.0", "Range: clock=20260101T000010Z-20260101T000030Z"],
    });
    expect(reply.header("speed")).to.equal("4.0");
    await client.until(() => numbers().length >= 41);
    expect(numbers().at(-1)).to.equal(140);
    await stage.clock.advance(4000);
    await client.until(() => client.reports().includes(201));
    const times = client.packets.filter(({ channel }) => channel === 0).map(({ packet }) => packet.readUInt32BE(4));
    expect(times.map((time) => time - (times[0] ?? 0))).to.deep.equal(range(0, 200).map((index) => index * 9000));
  });

  it("knows nothing of header extensions", async () => {
    await client.play("/recorded/gate", { headers: ["Range: clock=20260101T000010Z-20260101T000011Z"] });
    await client.until(() => numbers().length >= 10);
    for (const { packet } of client.packets.filter(({ channel }) => channel === 0))
      expect((packet[0] ?? 0) & 0x10).to.equal(0);
  });

  it("ends when what was recorded ends", async () => {
    stage.clock.setWall(unixMillis(START + 3_600_000));
    await client.play("/recorded/gate", { headers: ["Range: clock=20260101T000138Z-"] });
    await stage.clock.advance(3000);
    await client.until(() => client.reports().includes(201));
    expect(numbers()).to.deep.equal(range(980, 1000));
  });

  it("waits at the edge of what is being recorded", async () => {
    stage.clock.setWall(unixMillis(START + 101_000));
    await client.play("/recorded/gate", { headers: ["Range: clock=20260101T000138Z-"] });
    await stage.clock.advance(3000);
    await client.until(() => numbers().length === 20);
    expect(client.reports()).not.to.include(201);
    await stage.clock.advance(15_000);
    await client.until(() => client.reports().includes(201));
  });
});
