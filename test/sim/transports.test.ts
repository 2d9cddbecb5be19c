import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "chai";
import { asFault } from "../../base/fault.ts";
import { UPSTREAM_TRANSPORTS, type UpstreamTransport } from "../../rtsp/wire/transport.ts";
import type { SimCamera, SimCameraOptions } from "../../sim/camera-options.ts";
import { beginningOf, startCamera } from "./fixture.ts";
import { askSoap, exchange } from "./raw.ts";

describe("a simulated camera, by every transport", () => {
  let camera: SimCamera;
  const start = async (more: Partial<SimCameraOptions> = {}): Promise<URL> => {
    camera = await startCamera({ audio: true, ...more });
    return new URL(camera.rtspUrl);
  };
  afterEach(() => camera.close());

  for (const transport of UPSTREAM_TRANSPORTS)
    it(`sends picture and sound, in order and whole, by ${transport}`, async () => {
      // Over UDP reports come by sockets of their own: of both tracks.
      const { encodings, sequences, nalTypes } = await beginningOf(
        await start(),
        40,
        [transport],
        ({ reports }) => reports >= 2,
      );
      expect(encodings).to.deep.equal(["H264", "PCMU"]);
      expect(nalTypes).to.include(5);
      expect(sequences).to.deep.equal(sequences.map((_, index) => ((sequences[0] ?? 0) + index) & 0xffff));
      expect(camera).to.include({ sessions: 0, connections: 1 });
    });

  /** [the ways it has, what comes of each]. */
  const offers: readonly (readonly [has: readonly UpstreamTransport[], sends: readonly UpstreamTransport[]])[] = [
    ...UPSTREAM_TRANSPORTS.map((one) => [[one], [one]] as const),
    [
      ["udp", "http"],
      ["udp", "http"],
    ],
  ];
  for (const [has, sends] of offers)
    it(`sends by no other one where it has ${has.join(" and ")} alone`, async () => {
      const url = await start({ transports: has });
      for (const transport of UPSTREAM_TRANSPORTS) {
        const fault = await beginningOf(url, 2, [transport]).then(() => undefined, asFault);
        expect(fault === undefined, `${transport}: ${fault?.message}`).to.equal(sends.includes(transport));
        if (fault !== undefined) expect(fault.tell).to.match(/^the camera does not send over /);
      }
    });

  it("sends the same packets to all who want them by multicast, from a key frame on, and ends with the last of them", async () => {
    const url = await start({ audio: false });
    // Each goes on until the other one has had the same: which of them begins first is not known.
    const seen: [readonly number[], readonly number[]] = [[], []];
    const watch = (which: 0 | 1) =>
      beginningOf(url, 30, ["multicast"], ({ sequences }) => {
        seen[which] = sequences;
        return seen[0].filter((sequence) => seen[1].includes(sequence)).length > 20;
      });
    const [, two] = await Promise.all([watch(0), watch(1)]);
    const late = await beginningOf(url, 30, ["multicast"]);
    expect(late.nalTypes.slice(0, 3), "behind a rest").to.include(5);
    expect(late.sequences[0], "the numbering goes on").not.to.equal(two.sequences[0]);
    expect(camera.sessions).to.equal(0);
  });

  it("tells its multicast group over ONVIF, the same after a restart, and that of another camera is another", async () => {
    const groupOf = async (more: Partial<SimCameraOptions>): Promise<readonly string[]> => {
      await start(more);
      const media = camera.deviceUrl.replace("device_service", "media_service");
      const told = await askSoap(media, "trt", "GetProfiles");
      await camera.close();
      return [...told.matchAll(/<tt:IPv4Address>(239\.19[2-5]\.\d+\.\d+)</g)].map(([, group = ""]) => group);
    };
    const groups = await groupOf({});
    expect(new Set(groups)).to.have.property("size", 2);
    expect(await groupOf({})).to.deep.equal(groups);
    expect(await groupOf({ name: "Door" })).not.to.include.members(groups);
    expect(await groupOf({ transports: ["tcp"] })).to.deep.equal([]);
  });

  it("names group, ports and reach, and lets no session go half to its client and half to the group", async () => {
    const url = (await start()).href;
    const grouped = await exchange(url, ["SETUP"], { transport: "RTP/AVP;multicast" });
    expect(grouped).to.match(/;destination=239\.[\d.]+;port=\d+-\d+;ttl=1;ssrc=[0-9a-f]{8}/);
    const mixed = await exchange(url, ["SETUP", "SETUP"], { transports: ["RTP/AVP;multicast", "RTP/AVP/TCP;unicast"] });
    expect(mixed.match(/RTSP\/1\.0 \d+/g)).to.deep.equal([
      "RTSP/1.0 401",
      "RTSP/1.0 200",
      "RTSP/1.0 401",
      "RTSP/1.0 461",
    ]);
  });

  it("answers neither a GET without a cookie nor a POST without its GET with a tunnel, at either port", async () => {
    await start();
    const type = "application/x-rtsp-tunnelled";
    const wrong = [
      `GET /live HTTP/1.0\r\nAccept: ${type}\r\n\r\n`,
      `GET /live HTTP/1.0\r\nAccept: ${type}\r\nx-sessioncookie: ${"x".repeat(200)}\r\n\r\n`,
      `POST /live HTTP/1.0\r\nContent-Type: ${type}\r\nx-sessioncookie: nobodys\r\n\r\n`,
    ];
    for (const { port, hostname } of [new URL(camera.rtspUrl), new URL(camera.deviceUrl)])
      for (const text of wrong) {
        const socket = connect(Number(port), hostname);
        let answer = "";
        socket.on("data", (chunk: Buffer) => {
          answer += chunk.toString();
        });
        socket.write(text);
        await once(socket, "close");
        expect(answer).to.match(/^HTTP\/1\.0 400 /);
      }
    expect(camera.connections).to.equal(0);
  });
});
