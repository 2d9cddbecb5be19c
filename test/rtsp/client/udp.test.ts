import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect } from "chai";
import { asFault, type Fault } from "../../../base/fault.ts";
import { silentLog } from "../../../base/log.ts";
import { bye } from "../../../media/rtcp.ts";
import { writeRtpHeader } from "../../../media/rtp.ts";
import { cameraSide } from "../../../net/sides.ts";
import { openPortPair, type PortPair } from "../../../net/udp.ts";
import { type PullOptions, pull } from "../../../rtsp/client/session.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { type Answer, type Asked, AUDIO_SDP, answer, FakeCamera, type Script, VIDEO_SDP } from "./fake-camera.ts";

const side = cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] });
const UNSUPPORTED = "461 Unsupported Transport";

function rtp(sequence: number, o: { readonly ssrc?: number; readonly bytes?: number } = {}): Buffer {
  const packet = Buffer.alloc(o.bytes ?? 16);
  const { ssrc = 7 } = o;
  writeRtpHeader(packet, { marker: true, payloadType: 96, sequence, timestamp: sequence * 3600, ssrc });
  return packet;
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

/** Throws where something still holds the port. */
async function bindOnce(port: number): Promise<void> {
  const socket = createSocket("udp4");
  socket.bind({ port, address: "127.0.0.1", exclusive: true });
  await once(socket, "listening");
  socket.close();
}

describe("an upstream session over UDP", () => {
  let camera: FakeCamera;
  /** The camera's own ports, and what came there. */
  let ports: PortPair;
  let came: { readonly at: "rtp" | "rtcp"; readonly packet: Buffer }[];
  let clock: VirtualClock;
  let stop: AbortController;
  let packets: string[];
  let transport: string | undefined;
  let described: number;
  let pulling: Promise<Fault | undefined>;

  const isUdp = (one: Asked): boolean => one.header("transport")?.includes("client_port") === true;
  const clientPorts = (one: Asked): readonly number[] =>
    (/client_port=(\d+)-(\d+)/.exec(one.header("transport") ?? "") ?? []).slice(1).map(Number);
  const serverPort = (): string => `;server_port=${ports.ports.join("-")}`;
  /** Agrees to whatever is asked, with the camera's ports over UDP. */
  const agree = (one: Asked, more = serverPort()): string =>
    answer(one, [`Transport: ${one.header("transport")}${isUdp(one) ? more : ""}`, "Session: 1;timeout=60"]);

  const start = async (script: Script = {}, transports: PullOptions["transports"] = ["udp"]): Promise<void> => {
    camera = await FakeCamera.start({ SETUP: (one) => agree(one), ...script });
    clock = new VirtualClock();
    stop = new AbortController();
    packets = [];
    transport = undefined;
    described = 0;
    pulling = pull({
      url: camera.url,
      side,
      clock,
      log: silentLog(),
      signal: stop.signal,
      ...(transports && { transports }),
      events: {
        described: () => (described += 1),
        flows: (by) => (transport = by),
        rtp: (track, packet) => packets.push(`${track}: ${packet.readUInt16BE(2)}`),
        rtcp: (track, packet) => packets.push(`${track}: rtcp ${packet[1]}`),
      },
    }).then(() => undefined, asFault);
  };
  const playing = (): Promise<void> => until(() => described > 0);
  const asked = (method: string): readonly Asked[] => camera.asked.filter((one) => one.method === method);
  /** From the camera's port to that of the last SETUP, or of another one. */
  const send = (packet: Buffer, at: "rtp" | "rtcp" = "rtp", setup = -1): void => {
    const to = clientPorts(asked("SETUP").at(setup) as Asked);
    ports[at].send(packet, to[at === "rtp" ? 0 : 1], "127.0.0.1");
  };
  const sendFrom = async (address: string, packet: Buffer): Promise<void> => {
    const socket = createSocket("udp4");
    socket.bind(0, address);
    await once(socket, "listening");
    const [to] = clientPorts(asked("SETUP").at(-1) as Asked);
    await new Promise((sent) => socket.send(packet, to, "127.0.0.1", sent));
    socket.close();
  };

  beforeEach(async () => {
    ports = await openPortPair("127.0.0.1");
    came = [];
    ports.rtp.on("message", (packet: Buffer) => came.push({ at: "rtp", packet }));
    ports.rtcp.on("message", (packet: Buffer) => came.push({ at: "rtcp", packet }));
  });

  afterEach(async () => {
    stop.abort();
    camera.hangUp();
    await pulling;
    const all = asked("SETUP").flatMap(clientPorts);
    await camera.close();
    ports.close();
    expect(clock.pending, "timers that were left").to.equal(0);
    for (const port of all) await bindOnce(port);
  });

  it("asks for a pair of ports, hands packets on in order, and says goodbye", async () => {
    await start();
    await playing();
    expect(asked("SETUP")[0]?.header("transport")).to.match(/^RTP\/AVP;unicast;client_port=\d*[02468]-\d+$/);
    for (const sequence of [1, 3, 2]) send(rtp(sequence));
    await until(() => packets.length === 3);
    expect(packets).to.deep.equal(["0: 1", "0: 2", "0: 3"]);
    expect(transport).to.equal("udp");
    stop.abort();
    expect(await pulling).to.equal(undefined);
    expect(camera.methods).to.deep.equal(["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]);
  });

  it("opens the way through firewalls towards the ports that the camera names", async () => {
    await start();
    await until(() => came.length === 2);
    expect(came.map(({ at, packet }) => `${at} ${packet.toString("hex")}`).toSorted()).to.deep.equal([
      "rtcp 80c9000100000000",
      "rtp 800000000000000000000000",
    ]);
  });

  it("has ports of its own for each track", async () => {
    await start({ DESCRIBE: (one) => answer(one, [], VIDEO_SDP + AUDIO_SDP) });
    await playing();
    send(rtp(5), "rtp", 0);
    await until(() => packets.length === 1);
    send(rtp(6), "rtp", 1);
    await until(() => packets.length === 2);
    expect(packets).to.deep.equal(["0: 5", "1: 6"]);
    expect(new Set(asked("SETUP").flatMap(clientPorts)).size).to.equal(4);
  });

  it("takes packets of up to 64 KiB", async () => {
    await start();
    await playing();
    send(rtp(9, { bytes: 65_507 }));
    await until(() => packets.length === 1);
  });

  it("gives up a lost packet in time, and reports it", async () => {
    await start();
    await playing();
    send(rtp(1));
    send(rtp(3));
    send(bye(99, "c"), "rtcp");
    await until(() => packets.length === 2);
    expect(packets).to.have.members(["0: 1", "0: rtcp 201"]);
    send(rtp(4));
    send(bye(99, "c"), "rtp");
    await until(() => packets.length === 3);
    await clock.advance(100);
    expect(packets.slice(3)).to.deep.equal(["0: 3", "0: 4"]);
    await clock.advance(4900);
    await until(() => came.length === 3);
    const report = came.at(-1)?.packet ?? Buffer.alloc(0);
    expect([came.at(-1)?.at, report[1]]).to.deep.equal(["rtcp", 201]);
    expect([report.readUInt32BE(8), report.readIntBE(13, 3), report.readUInt32BE(16)]).to.deep.equal([7, 1, 4]);
  });

  it("follows a camera that changes its SSRC in mid-stream, and tells RTCP on the port of RTP", async () => {
    await start();
    await playing();
    for (const packet of [rtp(1), bye(7, "c"), rtp(900, { ssrc: 8 }), rtp(902, { ssrc: 8 }), rtp(901, { ssrc: 8 })])
      send(packet);
    await until(() => packets.length === 5);
    expect(packets).to.deep.equal(["0: 1", "0: rtcp 201", "0: 900", "0: 901", "0: 902"]);
  });

  const unnamed: readonly (readonly [what: string, more: string | undefined])[] = [
    ["names no port", ""],
    ["names port 0", ";server_port=0-0"],
    ["leaves Transport out", undefined],
  ];
  for (const [what, more] of unnamed)
    it(`learns the port of a camera that ${what}, reports there, and takes nothing from others then`, async () => {
      await start({ SETUP: (one) => (more === undefined ? answer(one, ["Session: 1"]) : agree(one, more)) });
      await playing();
      send(Buffer.from("no RTP"));
      send(rtp(1));
      send(bye(99, "c"), "rtcp");
      await until(() => packets.length === 2);
      await sendFrom("127.0.0.1", rtp(2));
      await sendFrom("127.0.0.2", rtp(3));
      send(rtp(2));
      await until(() => packets.length === 3);
      expect(packets).to.have.members(["0: 1", "0: rtcp 201", "0: 2"]);
      await clock.advance(5000);
      await until(() => came.length === 1);
      expect(came[0]?.at).to.equal("rtcp");
    });

  it("takes packets from the camera's address and ports alone", async () => {
    await start();
    await playing();
    await sendFrom("127.0.0.2", rtp(1));
    await sendFrom("127.0.0.1", rtp(2));
    send(rtp(3));
    await until(() => packets.length === 1);
    expect(packets).to.deep.equal(["0: 3"]);
  });

  it("notices that nothing comes any more, and ends the session at the camera", async () => {
    await start();
    await playing();
    send(rtp(1));
    await until(() => packets.length === 1);
    await clock.advance(11_000);
    await until(() => asked("TEARDOWN").length > 0);
    expect((await pulling)?.tell).to.equal("the camera stopped sending");
  });

  it("keeps the session alive over RTSP", async () => {
    await start({ SETUP: (one) => agree(one).replace("timeout=60", "timeout=4") });
    await playing();
    await clock.advance(2000);
    await until(() => asked("GET_PARAMETER").length === 1);
  });

  for (const method of ["SETUP", "PLAY"])
    it(`lets go of its ports when it is told to stop while ${method} is not answered`, async () => {
      await start({ [method]: () => undefined, TEARDOWN: (one) => answer(one) });
      await until(() => asked(method).length > 0);
      stop.abort();
      expect(await pulling).to.equal(undefined);
    });

  it("ends with a Fault where what takes the packets throws", async () => {
    await start();
    await playing();
    packets.push = () => {
      throw new Error("reader failed");
    };
    send(rtp(1));
    expect((await pulling)?.kind).to.equal("internal");
  });

  describe("chosen by what the camera takes", () => {
    const refusals: readonly (readonly [what: string, setup: (one: Asked) => Answer])[] = [
      ["refuses TCP", (one) => answer(one, [], "", UNSUPPORTED)],
      ["refuses TCP with words of its own", (one) => answer(one, [], "", "406 TCP TRANSPORT IS NOT SUPPORTED")],
      ["takes a request for TCP for broken", (one) => answer(one, [], "", "400 Bad Request")],
      ["takes a request for TCP for one of the whole", (one) => answer(one, [], "", "459 Aggregate Not Allowed")],
      ["breaks at a request for TCP", (one) => answer(one, [], "", "500 Internal Server Error")],
      [
        "answers TCP with ports",
        (one) => answer(one, ["Transport: RTP/AVP;unicast;client_port=0-1;server_port=6000-6001", "Session: 1"]),
      ],
    ];
    for (const [what, refuse] of refusals)
      it(`is tried on a connection of its own where the camera ${what}`, async () => {
        await start({ SETUP: (one) => (isUdp(one) ? agree(one) : refuse(one)) }, ["tcp", "udp"]);
        await playing();
        expect(asked("DESCRIBE").map(({ connection }) => connection)).to.deep.equal([0, 1]);
        expect(asked("SETUP").map(isUdp)).to.deep.equal([false, true]);
        send(rtp(1));
        await until(() => packets.length === 1);
        expect(transport).to.equal("udp");
      });

    it("and is not, where TCP alone is wanted", async () => {
      await start({ SETUP: (one) => answer(one, [], "", UNSUPPORTED) }, ["tcp"]);
      expect((await pulling)?.tell).to.equal("the camera does not send over TCP: it says so");
      expect(camera.connections).to.equal(1);
    });

    it("and is not, where the camera says that it has no room", async () => {
      await start({ SETUP: (one) => answer(one, [], "", "453 Not Enough Bandwidth") }, ["tcp", "udp"]);
      expect((await pulling)?.kind).to.equal("busy");
      expect(camera.connections).to.equal(1);
    });

    it("and says what the camera said first, where it takes no request for it to be right", async () => {
      const refuse = (one: Asked): string => answer(one, [], "", isUdp(one) ? UNSUPPORTED : "400 Bad Request");
      await start({ SETUP: refuse }, ["tcp", "udp"]);
      expect((await pulling)?.message).to.equal("SETUP: 400 Bad Request");
      expect(camera.connections).to.equal(2);
    });

    const turned: Script = {
      "refuses UDP": (one) => answer(one, [], "", UNSUPPORTED),
      "chooses TCP instead": (one) => answer(one, ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1"]),
      "chooses multicast": (one) => answer(one, ["Transport: RTP/AVP;multicast;port=5000-5001", "Session: 1"]),
    };
    for (const [what, refuse] of Object.entries(turned))
      it(`gives way to TCP where the camera ${what}`, async () => {
        await start({ SETUP: (one) => (isUdp(one) ? refuse(one) : agree(one)) }, ["udp", "tcp"]);
        await playing();
        expect(asked("SETUP").map(isUdp)).to.deep.equal([true, false]);
        expect(camera.connections).to.equal(2);
      });

    it("gives way to TCP where nothing ever comes", async () => {
      await start({}, ["udp", "tcp"]);
      await playing();
      await clock.advance(11_000);
      await until(() => described === 2);
      expect(asked("TEARDOWN")).to.have.length(1);
      expect(isUdp(asked("SETUP").at(-1) as Asked)).to.equal(false);
    });

    it("says what is wrong where nothing ever comes and there is no other way", async () => {
      await start();
      await playing();
      await clock.advance(11_000);
      expect((await pulling)?.tell).to.match(/nothing has come; a firewall/);
    });

    it("is left after a wrong password at once", async () => {
      await start({ DESCRIBE: (one) => answer(one, ['WWW-Authenticate: Basic realm="r"'], "", "401 Unauthorized") }, [
        "udp",
        "tcp",
      ]);
      expect((await pulling)?.kind).to.equal("unauthenticated");
      expect(camera.connections).to.equal(1);
    });
  });
});
