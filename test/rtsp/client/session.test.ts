import { expect } from "chai";
import * as fc from "fast-check";
import type { Credentials } from "../../../auth/scheme/http.ts";
import { asFault, type Fault, type FaultKind } from "../../../base/fault.ts";
import { silentLog } from "../../../base/log.ts";
import { Secret } from "../../../base/secret.ts";
import { writeRtpHeader } from "../../../media/rtp.ts";
import type { MediaDescription } from "../../../media/sdp.ts";
import { cameraSide } from "../../../net/sides.ts";
import type { UpstreamSession } from "../../../rtsp/client/incoming.ts";
import { type PullOptions, pull } from "../../../rtsp/client/session.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { type Asked, AUDIO_SDP, answer, FakeCamera, framed, type Script, VIDEO_SDP } from "./fake-camera.ts";

const side = cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] });
const LOGIN: Credentials = { user: "admin", password: new Secret("secret") };

/** A whole frame in one packet, with its number as the payload. */
function rtp(sequence: number): Buffer {
  const packet = Buffer.alloc(16, sequence);
  writeRtpHeader(packet, { marker: true, payloadType: 96, sequence, timestamp: sequence * 3600, ssrc: 7 });
  return packet;
}

const SENDER_REPORT = Buffer.from(`80c80006${"00000007".padEnd(48, "0")}`, "hex");

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

const challenge = (one: Asked, value: string): string =>
  answer(one, [`WWW-Authenticate: ${value}`], "", "401 Unauthorized");

const every = (script: (one: Asked) => string): Script =>
  Object.fromEntries(["OPTIONS", "DESCRIBE", "SETUP", "PLAY"].map((method) => [method, script]));

/** Redirects the first DESCRIBE. `PORT` in `target` is the camera's own. */
const redirecting = (target: string): Script => ({
  DESCRIBE: (one) =>
    one.connection === 0
      ? answer(one, [`Location: ${target.replace("PORT", new URL(one.uri).port)}`], "", "302 Moved")
      : answer(one, [], VIDEO_SDP),
});

describe("an upstream session", () => {
  let camera: FakeCamera;
  let clock: VirtualClock;
  let stop: AbortController;
  let media: readonly MediaDescription[];
  let session: UpstreamSession | undefined;
  let packets: string[];
  let pulling: Promise<Fault | undefined>;

  /** Starts a camera and pulls from it. */
  const start = async (
    script: Script = {},
    o: Partial<Pick<PullOptions, "credentials" | "allowBasic" | "paced">> = {},
  ): Promise<void> => {
    camera = await FakeCamera.start(script);
    clock = new VirtualClock();
    stop = new AbortController();
    media = [];
    packets = [];
    pulling = pull({
      url: camera.url,
      side,
      clock,
      log: silentLog(),
      signal: stop.signal,
      ...o,
      events: {
        described: (described, running) => {
          media = described;
          session = running;
        },
        rtp: (track, packet) => packets.push(`${track}: rtp ${packet.at(-1)}`),
        rtcp: (track, packet) => packets.push(`${track}: rtcp ${packet[1]}`),
      },
    }).then(() => undefined, asFault);
  };
  const playing = (): Promise<void> => until(() => media.length > 0);
  const asked = (method: string): readonly Asked[] => camera.asked.filter((one) => one.method === method);
  const expectFault = async (kind: FaultKind): Promise<Fault | undefined> => {
    const fault = await pulling;
    expect(fault?.kind, fault?.message).to.equal(kind);
    return fault;
  };

  afterEach(async () => {
    stop.abort();
    camera.hangUp();
    await pulling;
    await camera.close();
    expect(clock.pending, "timers that were left").to.equal(0);
  });

  it("describes, sets up, plays, hands packets on, and says goodbye", async () => {
    await start();
    await playing();
    expect(media.map(({ track }) => track.encoding)).to.deep.equal(["H264"]);
    camera.send(Buffer.concat([framed(0, rtp(1)), framed(1, SENDER_REPORT), framed(0, rtp(2))]));
    await until(() => packets.length === 3);
    expect(packets).to.deep.equal(["0: rtp 1", "0: rtcp 200", "0: rtp 2"]);
    stop.abort();
    expect(await pulling).to.equal(undefined);
    expect(camera.methods).to.deep.equal(["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]);
    expect(asked("SETUP")[0]?.header("transport")).to.equal("RTP/AVP/TCP;unicast;interleaved=0-1");
    expect(asked("PLAY")[0]?.header("range")).to.equal("npt=0.000-");
    for (const method of ["PLAY", "TEARDOWN"]) expect(asked(method)[0]?.header("session")).to.equal("1234");
  });

  const feedback: readonly (readonly [lines: string, format: number | undefined])[] = [
    ["a=rtcp-fb:96 nack pli\r\n", 1],
    ["a=rtcp-fb:* ccm fir\r\na=rtcp-fb:96 nack\r\n", 4],
    ["a=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96  NACK  PLI\r\n", 1],
    ["a=rtcp-fb:96 nack\r\n", undefined],
    ["a=rtcp-fb:97 nack pli\r\n", undefined],
    ["", undefined],
  ];
  for (const [lines, format] of feedback)
    it(`asks for a key frame ${format === undefined ? "not" : `with format ${format}`} where the camera says ${lines.trim() || "nothing"}`, async () => {
      await start({ DESCRIBE: (one) => answer(one, [], VIDEO_SDP + lines) });
      await playing();
      expect(session?.requestKey(), "before the camera's SSRC is known").to.equal(false);
      camera.send(framed(0, rtp(1)));
      await until(() => packets.length === 1);
      expect([session?.requestKey(), session?.requestKey()]).to.deep.equal(Array(2).fill(format !== undefined));
      if (format === undefined) return;
      await until(() => camera.packets.length === 2);
      for (const [index, { channel, packet }] of camera.packets.entries()) {
        // Behind a report and a name comes the request, for the SSRC that the camera sends with.
        const request = packet.subarray(8 + 4 + packet.readUInt16BE(10) * 4);
        expect([channel, request[0], request[1]]).to.deep.equal([1, 0x80 | format, 206]);
        expect(request.readUInt32BE(format === 1 ? 8 : 12)).to.equal(7);
        if (format === 4) expect(request[16], "number of the request").to.equal(index + 1);
      }
    });

  it("takes packets that overtake the answer to PLAY", async () => {
    await start({ PLAY: (one) => framed(0, rtp(5)).toString("latin1") + answer(one) });
    await until(() => packets.length > 0);
    expect(media).to.have.length(1);
    expect(packets).to.deep.equal(["0: rtp 5"]);
  });

  const transports: readonly (readonly [answered: string | undefined, rtpChannel: number])[] = [
    ["RTP/AVP/TCP;unicast;interleaved=4-5", 4],
    ["RTP/AVP/TCP;unicast;interleaved=10-11;ssrc=zz", 10],
    ["RTP/AVP/TCP;unicast;interleaved=6", 6],
    ["RTP/AVP/TCP;unicast", 0],
    ["RTP/AVP;unicast;interleaved=2-3", 2],
    ["RTP/AVP;unicast", 0],
    ["nonsense;;;", 0],
    [undefined, 0],
  ];
  for (const [answered, channel] of transports)
    it(`listens on channel ${channel} where the camera answers Transport: ${answered}`, async () => {
      const line = answered === undefined ? [] : [`Transport: ${answered}`];
      await start({ SETUP: (one) => answer(one, [...line, "Session: 1"]) });
      await playing();
      camera.send(Buffer.concat([framed(channel, rtp(9)), framed(channel + 1, SENDER_REPORT)]));
      await until(() => packets.length === 2);
      expect(packets).to.deep.equal(["0: rtp 9", "0: rtcp 200"]);
    });

  it("keeps the first session id of a camera that changes it", async () => {
    await start({
      DESCRIBE: (one) => answer(one, [], VIDEO_SDP + AUDIO_SDP),
      SETUP: (one) =>
        answer(one, [`Transport: ${one.header("transport")}`, `Session: id-${asked("SETUP").length};timeout=10`]),
    });
    await playing();
    expect(asked("SETUP").map((one) => one.header("session"))).to.deep.equal([undefined, "id-1"]);
    expect(asked("PLAY")[0]?.header("session")).to.equal("id-1");
  });

  const bases: readonly (readonly [headers: readonly string[], sdp: string, setup: string])[] = [
    [["Content-Base: rtsp://127.0.0.1:PORT/a/"], VIDEO_SDP, "/a/trackID=0"],
    [[], VIDEO_SDP, "/stream/trackID=0"],
    [["Content-Base: rtsp://127.0.0.1:PORT/a?channel=1&subtype=0/"], VIDEO_SDP, "/a?channel=1&subtype=0/trackID=0"],
    [["Content-Base: rtsp://192.0.2.7:PORT/a/"], VIDEO_SDP, "/a/trackID=0"],
    [["Content-Base: what?"], VIDEO_SDP, "/stream/trackID=0"],
    [[], VIDEO_SDP.replace("trackID=0", "/trackID=0"), "/stream/trackID=0"],
    [[], VIDEO_SDP.replace("trackID=0", "rtsp://192.0.2.7:PORT/b/t"), "/b/t"],
    [[], VIDEO_SDP.replace("trackID=0", "*"), "/stream"],
    [[], VIDEO_SDP.replace("a=control:trackID=0\r\n", ""), "/stream"],
    [[], VIDEO_SDP.replace("trackID=0", "\xc4\x8atrack 0"), "/stream/%C4%8Atrack%200"],
    [[], VIDEO_SDP.replace("a=control:*", "a=control:rtsp://10.0.0.1:PORT/c"), "/c/trackID=0"],
  ];
  for (const [headers, sdp, path] of bases)
    it(`sets up ${path} where it says ${headers.join()} ${/control:(?!\*)\S+/.exec(sdp)?.[0] ?? "no control"}`, async () => {
      const here = (text: string): string => text.replaceAll("PORT", `${camera.port}`);
      await start({ DESCRIBE: (one) => answer(one, headers.map(here), here(sdp)) });
      await playing();
      expect(asked("SETUP")[0]?.uri).to.equal(`rtsp://127.0.0.1:${camera.port}${path}`);
      expect(camera.connections).to.equal(1);
    });

  it("leaves a back channel alone, and goes without sound that the camera refuses", async () => {
    const back = AUDIO_SDP.replace("a=control:trackID=1", "a=sendonly\r\na=control:back");
    await start({
      DESCRIBE: (one) => answer(one, [], VIDEO_SDP + AUDIO_SDP + back),
      SETUP: (one) =>
        one.uri.endsWith("trackID=1")
          ? answer(one, [], "", "461 Unsupported Transport")
          : answer(one, [`Transport: ${one.header("transport")}`, "Session: 1"]),
    });
    await playing();
    expect(asked("SETUP").map((one) => one.uri.split("/").at(-1))).to.deep.equal(["trackID=0", "trackID=1"]);
    expect(media.map(({ track }) => track.kind)).to.deep.equal(["video"]);
  });

  it("takes media that are all marked sendonly for what they are", async () => {
    await start({ DESCRIBE: (one) => answer(one, [], `${VIDEO_SDP}a=sendonly\r\n`) });
    await playing();
    expect(media).to.have.length(1);
  });

  const statuses: readonly (readonly [method: string, status: string, kind: FaultKind])[] = [
    ["DESCRIBE", "404 Not Found", "not-found"],
    ["DESCRIBE", "403 Forbidden", "denied"],
    ["DESCRIBE", "500 Internal Server Error", "unavailable"],
    ["SETUP", "461 Unsupported Transport", "unavailable"],
    ["SETUP", "453 Not Enough Bandwidth", "busy"],
    ["PLAY", "503 Service Unavailable", "busy"],
    ["PLAY", "455 Method Not Valid in This State", "unavailable"],
  ];
  for (const [method, status, kind] of statuses)
    it(`fails as ${kind} where ${method} is answered with ${status}`, async () => {
      await start({ [method]: (one) => answer(one, [], "", status) });
      await expectFault(kind);
    });

  describe("logging in", () => {
    it("tries a camera that refuses for ever once without and once with credentials", async () => {
      await start(
        every((one) => challenge(one, 'Digest realm="r", nonce="n", qop="auth"')),
        { credentials: LOGIN },
      );
      await expectFault("unauthenticated");
      expect(camera.asked.map((one) => one.header("authorization") !== undefined)).to.deep.equal([false, true]);
    });

    it("gives up on a camera that calls every nonce stale", async () => {
      await start(
        every((one) => challenge(one, `Digest realm="r", nonce="${camera.asked.length}", stale=true`)),
        {
          credentials: LOGIN,
        },
      );
      await expectFault("unauthenticated");
      expect(camera.asked.length).to.be.at.most(4);
    });

    it("fails at once where it has no credentials", async () => {
      await start(every((one) => challenge(one, 'Digest realm="r", nonce="n"')));
      await expectFault("unauthenticated");
      expect(camera.asked).to.have.length(1);
    });

    it("does not send a readable password, unless that is allowed", async () => {
      await start(
        every((one) => challenge(one, 'Basic realm="r"')),
        { credentials: LOGIN },
      );
      await expectFault("unauthenticated");
      expect(camera.asked.some((one) => one.header("authorization") !== undefined)).to.equal(false);
      await camera.close();
      const honest: Script = {
        OPTIONS: (one) => (one.header("authorization") === undefined ? challenge(one, 'Basic realm="r"') : answer(one)),
      };
      await start(honest, { credentials: LOGIN, allowBasic: true });
      await playing();
      expect(asked("PLAY")[0]?.header("authorization")).to.equal(`Basic ${btoa("admin:secret")}`);
    });

    it("signs each request with its own address", async () => {
      await start(
        {
          DESCRIBE: (one) =>
            one.header("authorization") === undefined
              ? challenge(one, 'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"')
              : answer(one, [], VIDEO_SDP),
        },
        { credentials: LOGIN },
      );
      await playing();
      for (const one of [...asked("SETUP"), ...asked("PLAY")])
        expect(one.header("authorization")).to.include(`uri="${one.uri}"`);
    });
  });

  describe("redirected", () => {
    it("follows once, on a new connection, within the same host", async () => {
      await start(redirecting("rtsp://127.0.0.1:PORT/other"));
      await playing();
      expect(camera.connections).to.equal(2);
      expect(asked("DESCRIBE")[1]?.uri).to.equal(`rtsp://127.0.0.1:${camera.port}/other`);
    });

    it("does not follow twice", async () => {
      await start({
        DESCRIBE: (one) => answer(one, [`Location: rtsp://127.0.0.1:${camera.port}/x`], "", "301 Moved"),
      });
      await expectFault("invalid");
      expect(camera.connections).to.equal(2);
    });

    for (const target of ["rtsp://192.0.2.1/x", "http://127.0.0.1:PORT/x", "rtsp://127.0.0.2:PORT/x"])
      it(`never follows to ${target}`, async () => {
        await start(redirecting(target));
        await expectFault("denied");
        expect(camera.connections).to.equal(1);
      });
  });

  describe("with a camera that fails", () => {
    for (const method of ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
      it(`gives up on one that hangs at ${method}`, async () => {
        await start({ [method]: () => undefined });
        await until(() => asked(method).length > 0);
        await clock.advance(10_000);
        // Where there is a session, the camera is told that it is over.
        if (method === "PLAY") await until(() => asked("TEARDOWN").length > 0);
        await expectFault("unavailable");
      });

    it("gives up on one that accepts and says nothing, and waits no longer for its goodbye", async () => {
      await start({ PLAY: () => undefined, TEARDOWN: () => undefined });
      await until(() => asked("PLAY").length > 0);
      stop.abort();
      await until(() => asked("TEARDOWN").length > 0);
      await clock.advance(2000);
      expect(await pulling).to.equal(undefined);
    });

    for (const method of ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
      it(`stops quietly when it is told to while ${method} is not answered`, async () => {
        await start({ [method]: () => undefined });
        await until(() => asked(method).length > 0);
        stop.abort();
        expect(await pulling).to.equal(undefined);
      });

    it("notices that the connection is gone", async () => {
      await start();
      await playing();
      camera.hangUp();
      await expectFault("unavailable");
    });

    it("notices that nothing comes any more, and ends the session at the camera", async () => {
      await start();
      await playing();
      await clock.advance(9000);
      camera.send(framed(0, rtp(1)));
      await until(() => packets.length === 1);
      await clock.advance(9000);
      expect(asked("TEARDOWN")).to.have.length(0);
      await clock.advance(3000);
      await until(() => asked("TEARDOWN").length > 0);
      expect((await expectFault("unavailable"))?.tell).to.equal("the camera stopped sending");
    });

    it("hands on nothing that comes after it was told to stop, also while it says goodbye to one that stalled", async () => {
      await start({ TEARDOWN: () => undefined });
      await playing();
      await clock.advance(11_000);
      await until(() => asked("TEARDOWN").length > 0);
      camera.send(framed(0, rtp(1)));
      await until(() => packets.length === 1);
      stop.abort();
      const goodbye = answer(asked("TEARDOWN")[0] as Asked);
      camera.send(Buffer.concat([framed(0, rtp(2)), Buffer.from(goodbye)]));
      expect(await pulling).to.equal(undefined);
      expect(packets).to.deep.equal(["0: rtp 1"]);
    });

    it("does not take sound for a sign that the picture comes", async () => {
      await start({ DESCRIBE: (one) => answer(one, [], AUDIO_SDP + VIDEO_SDP) });
      await playing();
      for (let second = 0; second < 10; second += 1) {
        camera.send(framed(0, rtp(second)));
        await until(() => packets.length > second);
        await clock.advance(1000);
      }
      await clock.advance(1000);
      await expectFault("unavailable");
    });

    it("is patient with a stream of events alone", async () => {
      const events = VIDEO_SDP.replace("m=video", "m=application").replace("H264", "vnd.onvif.metadata");
      await start({ DESCRIBE: (one) => answer(one, [], events) });
      await playing();
      for (let minute = 0; minute < 5; minute += 1) {
        const before = asked("GET_PARAMETER").length;
        await clock.advance(30_000);
        await until(() => asked("GET_PARAMETER").length > before);
      }
      expect(asked("TEARDOWN")).to.have.length(0);
    });

    it("finds the next packet behind garbage", async () => {
      await start();
      await playing();
      camera.send(
        Buffer.concat([
          framed(0, rtp(1)),
          Buffer.alloc(500, 0xee),
          Buffer.from("$\u00c8zz", "latin1"),
          framed(0, rtp(2)),
        ]),
      );
      await until(() => packets.length === 2);
      expect(packets).to.deep.equal(["0: rtp 1", "0: rtp 2"]);
    });

    it("gives up on one that sends nothing but garbage", async () => {
      await start();
      await playing();
      camera.send(Buffer.alloc(200_000, 0xee));
      await expectFault("invalid");
    });

    const descriptions: readonly (readonly [what: string, answer: (one: Asked) => string])[] = [
      ["of 10 MB", (one) => answer(one, [], VIDEO_SDP + "a=x:y\r\n".repeat(1_500_000))],
      ["of 10 MB that says it is short", (one) => answer(one, ["Content-Length: 5"]) + "a=x:y\r\n".repeat(1_500_000)],
      ["of 100 KB", (one) => answer(one, [], VIDEO_SDP + "a=x:y\r\n".repeat(15_000))],
      ["with 33 media", (one) => answer(one, [], VIDEO_SDP + AUDIO_SDP.repeat(33))],
      ["without media", (one) => answer(one, [], "v=0\r\n")],
      ["that is empty", (one) => answer(one)],
      ["with a huge header", (one) => answer(one, [`X: ${"x".repeat(100_000)}`], VIDEO_SDP)],
      [
        "with a thousand headers",
        (one) =>
          answer(
            one,
            Array.from({ length: 1000 }, () => "X: y"),
            VIDEO_SDP,
          ),
      ],
    ];
    for (const [what, described] of descriptions)
      it(`refuses a description ${what}`, async () => {
        await start({ DESCRIBE: described });
        await expectFault("invalid");
      });

    it("hears that it ends the session", async () => {
      await start();
      await playing();
      camera.send("TEARDOWN rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\nSession: 1234\r\n\r\n");
      await expectFault("unavailable");
    });

    it("throws nothing but Faults whatever it answers", async () => {
      const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });
      const at = fc.constantFrom("OPTIONS", "DESCRIBE", "SETUP", "PLAY");
      await fc.assert(
        fc.asyncProperty(bytes, at, async (garbage, method) => {
          await start({ [method]: () => Buffer.from(garbage) });
          await until(() => asked(method).length > 0);
          camera.hangUp();
          const fault = await pulling;
          expect(fault?.kind).to.be.oneOf(["unavailable", "invalid"]);
          await camera.close();
        }),
        { numRuns: 40 },
      );
      await start();
    });
  });

  describe("while it plays", () => {
    const publics: readonly (readonly [offered: string, session: string, method: string, periodMs: number])[] = [
      ["Public: OPTIONS, GET_PARAMETER", "1;timeout=20", "GET_PARAMETER", 10_000],
      ["Public: OPTIONS, PLAY", "1;timeout=20", "OPTIONS", 10_000],
      ["X: y", "1;timeout=5", "OPTIONS", 2500],
      ["Public: GET_PARAMETER", "1", "GET_PARAMETER", 30_000],
      ["Public: GET_PARAMETER", "1;timeout=86400", "GET_PARAMETER", 30_000],
      ["Public: GET_PARAMETER", "1;timeout=0", "GET_PARAMETER", 30_000],
    ];
    for (const [offered, session, method, periodMs] of publics)
      it(`sends ${method} every ${periodMs} ms where it says ${offered} and Session: ${session}`, async () => {
        await start({
          OPTIONS: (one) => answer(one, [offered]),
          SETUP: (one) => answer(one, [`Session: ${session}`]),
          // No answer to any: that must not matter.
          GET_PARAMETER: () => undefined,
        });
        await playing();
        const before = asked(method).length;
        for (let beat = 1; beat <= 2; beat += 1) {
          for (let passed = 0; passed < periodMs; passed += 2500) {
            camera.send(framed(0, rtp(passed / 2500)));
            const had = packets.length;
            await until(() => packets.length > had);
            await clock.advance(2500);
          }
          await until(() => asked(method).length === before + beat);
        }
        expect(asked(method).at(-1)?.header("session")).to.equal("1");
      });

    it("goes over to OPTIONS where GET_PARAMETER is refused", async () => {
      await start({
        SETUP: (one) => answer(one, ["Session: 1;timeout=10"]),
        GET_PARAMETER: (one) => answer(one, [], "", "454 Session Not Found"),
      });
      await playing();
      await clock.advance(5000);
      await until(() => asked("GET_PARAMETER").length === 1);
      camera.send(framed(0, rtp(1)));
      await until(() => packets.length === 1);
      await clock.advance(5000);
      await until(() => asked("OPTIONS").length === 2);
      expect(asked("GET_PARAMETER")).to.have.length(1);
    });

    it("reports every five seconds what it received", async () => {
      await start();
      await playing();
      camera.send(Buffer.concat([framed(0, rtp(1)), framed(0, rtp(2)), framed(0, rtp(5)), framed(1, SENDER_REPORT)]));
      await until(() => packets.length === 4);
      await clock.advance(5000);
      await until(() => camera.packets.length > 0);
      const [{ channel, packet } = { channel: -1, packet: Buffer.alloc(0) }] = camera.packets;
      expect([channel, packet[1]]).to.deep.equal([1, 201]);
      expect([packet.readUInt32BE(8), packet.readIntBE(13, 3), packet.readUInt32BE(16)]).to.deep.equal([7, 2, 5]);
      expect(packet.readUInt32BE(28), "time since the report, in 1/65536 s").to.equal(5 * 65_536);
    });

    it("reads no more before it may, and loses nothing by it", async () => {
      let isHeld = false;
      let early = 0;
      const paced = async (): Promise<void> => {
        if (isHeld) early += 1;
        isHeld = true;
        for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        isHeld = false;
      };
      await start({}, { paced });
      await until(() => camera.methods.includes("PLAY"));
      const sent = Array.from({ length: 2000 }, (_, sequence) => sequence);
      const filler = Buffer.alloc(1000);
      for (const sequence of sent) camera.send(framed(0, Buffer.concat([rtp(sequence), filler, rtp(sequence)])));
      await until(() => packets.length === sent.length);
      expect(packets).to.deep.equal(sent.map((sequence) => `0: rtp ${sequence & 0xff}`));
      expect(early, "pieces that were read while it was held").to.equal(0);
    });

    it("answers what the camera asks", async () => {
      await start();
      await playing();
      for (const method of ["OPTIONS", "GET_PARAMETER", "ANNOUNCE"])
        camera.send(`${method} rtsp://x/ RTSP/1.0\r\nCSeq: 77\r\n\r\n`);
      await until(() => camera.asked.filter((one) => one.method === "RTSP/1.0").length === 3);
      const answers = camera.asked.filter((one) => one.method === "RTSP/1.0");
      expect(answers.map((one) => [one.uri, one.header("cseq")])).to.deep.equal([
        ["200", "77"],
        ["200", "77"],
        ["501", "77"],
      ]);
    });

    it("tells RTCP from RTP on whatever channel it comes", async () => {
      await start();
      await playing();
      camera.send(Buffer.concat([framed(0, SENDER_REPORT), framed(0, rtp(1))]));
      await until(() => packets.length === 2);
      expect(packets).to.deep.equal(["0: rtcp 200", "0: rtp 1"]);
    });

    it("takes an answer without CSeq for that of the oldest request", async () => {
      await start({ DESCRIBE: (one) => answer(one, [], VIDEO_SDP).replace(/CSeq.*\r\n/, "") });
      await playing();
    });
  });
});
