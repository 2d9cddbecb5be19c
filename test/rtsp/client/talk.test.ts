import { expect } from "chai";
import { asFault } from "../../../base/fault.ts";
import { silentLog } from "../../../base/log.ts";
import { writeRtpHeader } from "../../../media/rtp.ts";
import { cameraSide } from "../../../net/sides.ts";
import { describeSpeaker, openTalk, type SpeakerOptions } from "../../../rtsp/client/talk.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { type Asked, answer, FakeCamera, type Script, VIDEO_SDP } from "./fake-camera.ts";

const TAG = "www.onvif.org/ver20/backchannel";
const SPEAKER_SDP = "m=audio 0 RTP/AVP 8 0\r\na=control:trackID=9\r\na=sendonly\r\n";

function packetOf(sequence: number): Buffer {
  const packet = Buffer.alloc(172, sequence);
  writeRtpHeader(packet, { marker: false, payloadType: 8, sequence, timestamp: sequence * 160, ssrc: 1 });
  return packet;
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

describe("a session with a camera's speaker", () => {
  let camera: FakeCamera;
  let clock: VirtualClock;
  let stop: AbortController;

  const start = async (script: Script = {}): Promise<SpeakerOptions> => {
    camera = await FakeCamera.start({
      DESCRIBE: (one) => answer(one, [`Content-Base: ${one.uri}/`], VIDEO_SDP + SPEAKER_SDP),
      ...script,
    });
    clock = new VirtualClock();
    stop = new AbortController();
    const side = cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] });
    return { url: camera.url, side, clock, log: silentLog(), signal: stop.signal };
  };
  afterEach(async () => {
    stop.abort();
    await camera.close();
    await clock.advance(0);
    expect(clock.pending, "timers that were left").to.equal(0);
  });

  it("sets up the speaker alone, says so in each request, sends with reports, and says goodbye", async () => {
    const talk = await openTalk(await start());
    talk.push(packetOf(1));
    talk.push(packetOf(2));
    await until(() => camera.packets.length === 3);
    await clock.advance(5000);
    await until(() => camera.packets.length === 4);
    expect(camera.packets.map(({ channel, packet }) => [channel, packet[1]])).to.deep.equal([
      [1, 200],
      [0, 8],
      [0, 8],
      [1, 200],
    ]);
    await talk.close();
    const requests = camera.asked.map(({ method, uri, header }) => [method, new URL(uri).pathname, header("require")]);
    expect(requests).to.deep.equal([
      ["DESCRIBE", "/stream", TAG],
      ["SETUP", "/stream/trackID=9", TAG],
      ["PLAY", "/stream/", TAG],
      ["TEARDOWN", "/stream/", TAG],
    ]);
  });

  it("goes over UDP where the camera refuses it inside the connection", async () => {
    const udp = (one: Asked): boolean => one.header("transport")?.includes("client_port") === true;
    const options = await start({
      SETUP: (one) =>
        udp(one)
          ? answer(one, [`Transport: ${one.header("transport")};server_port=6970-6971`, "Session: 1"])
          : answer(one, [], "", "461 Unsupported Transport"),
    });
    const talk = await openTalk(options);
    const setups = camera.asked.filter(({ method }) => method === "SETUP");
    expect(setups.map((one) => [one.connection, udp(one)])).to.deep.equal([
      [0, false],
      [1, true],
    ]);
    await talk.close();
  });

  it("shows the camera that it is there, and sees when the camera has gone", async () => {
    const talk = await openTalk(await start());
    await clock.advance(30_000);
    await until(() => camera.methods.includes("GET_PARAMETER"));
    camera.hangUp();
    expect(await talk.ended.then(() => undefined, asFault)).to.include({ kind: "unavailable" });
    await talk.close();
  });

  const without: readonly (readonly [what: string, describe: (one: Asked) => string])[] = [
    ["it does not know the option", (one) => answer(one, [`Unsupported: ${TAG}`], "", "551 Option not supported")],
    ["it takes the question badly", (one) => answer(one, [], "", "500 Internal Server Error")],
    ["it describes none", (one) => answer(one, [], VIDEO_SDP)],
    ["it marks all that it sends so", (one) => answer(one, [], `${VIDEO_SDP}a=sendonly\r\n${SPEAKER_SDP}`)],
    ["what it would take is no sound", (one) => answer(one, [], VIDEO_SDP + SPEAKER_SDP.replace("m=audio", "m=video"))],
  ];
  for (const [what, describeIt] of without)
    it(`is not had where ${what}`, async () => {
      const options = await start({ DESCRIBE: describeIt });
      expect(await describeSpeaker(options)).to.equal(undefined);
      expect(await openTalk(options).then(() => undefined, asFault)).to.include({ kind: "not-found" });
      expect(camera.methods).not.to.include("SETUP");
    });

  it("is described by its first format", async () => {
    expect(await describeSpeaker(await start())).to.include({ encoding: "PCMA", payloadType: 8, clockRateHz: 8000 });
  });

  it("fails when the camera refuses to set it up, for whoever asked to hear", async () => {
    const options = await start({ SETUP: (one) => answer(one, [], "", "453 Not Enough Bandwidth") });
    expect(await openTalk(options).then(() => undefined, asFault)).to.include({ kind: "busy" });
  });

  it("ends when it is called off, wherever it is", async () => {
    const options = await start({ PLAY: () => undefined });
    const opening = openTalk(options).then(() => undefined, asFault);
    await until(() => camera.methods.includes("PLAY"));
    stop.abort();
    expect(await opening).to.include({ kind: "unavailable" });
    expect(camera.methods).to.include("TEARDOWN");
  });

  it("leaves nothing behind where the camera begins to listen while it is called off", async () => {
    let play: Asked | undefined;
    const options = await start({
      PLAY: (one) => {
        play = one;
        return undefined;
      },
      // What it was asked before is answered first.
      TEARDOWN: (one) => play && answer(play) + answer(one),
    });
    const opening = openTalk(options).then(() => undefined, asFault);
    await until(() => play !== undefined);
    stop.abort();
    expect(await opening).to.include({ kind: "unavailable" });
  });
});
