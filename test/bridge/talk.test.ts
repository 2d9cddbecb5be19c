import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { MINUTE } from "../../base/units.ts";
import { writeRtpHeader } from "../../media/rtp.ts";
import { header, type Response } from "../../rtsp/wire/message.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { RtspsClient } from "../support/rtsps-client.ts";

const REQUIRE = "Require: www.onvif.org/ver20/backchannel";
/** Its number: behind picture, sound and the bridge's own events. */
const SPEAKER = 3;
/** 20 ms of G.711. */
const SAMPLES = 160;

describe("talking to a camera through the bridge", () => {
  let t: TestBridge;
  let camera: SimCamera;
  let id: string;
  const clients: RtspsClient[] = [];

  before(async () => {
    t = await startTestBridge();
    // Too small for a sub-stream, which would be looked at meanwhile.
    camera = await t.camera({ audio: true, speaker: true, width: 320, height: 180 });
    id = await t.adopt(camera);
    await t.cameras(await t.account())[0]?.streams[0].live.ready(MINUTE);
  });
  after(() => t?.close());
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await eventually(() => !camera.talkedTo);
  });

  /** One connection with a log-in. */
  const connect = async (login: Login) => {
    const client = await RtspsClient.open(t.bridge.parts.addresses().doors.rtsps);
    clients.push(client);
    const basic = `Authorization: Basic ${Buffer.from(`${login.name}:${login.secret}`).toString("base64")}`;
    const url = `rtsps://127.0.0.1/live/${id}`;
    let session: readonly string[] = [];
    const ask = async (method: string, path = "", headers: readonly string[] = [REQUIRE]): Promise<Response> => {
      const answer = await client.ask(method, `${url}${path}`, [basic, ...session, ...headers]);
      const named = header(answer, "Session")?.split(";", 1)[0];
      if (named !== undefined) session = [`Session: ${named}`];
      return answer;
    };
    const setUp = (track: number): Promise<Response> =>
      ask("SETUP", `/track${track}`, [REQUIRE, `Transport: RTP/AVP/TCP;interleaved=${2 * track}-${2 * track + 1}`]);
    return { client, ask, setUp };
  };
  const talkers = (): Promise<Login> => t.account({ live: "any", audio: "any", talk: [id] });
  /** Packets of the talker, each with a random payload, from sequence number 0 on. */
  const speech = (packets: number): { readonly packets: readonly Buffer[]; readonly sha256: string } => {
    const hash = createHash("sha256");
    const list = Array.from({ length: packets }, (_, index) => {
      const packet = Buffer.concat([Buffer.alloc(12), randomBytes(SAMPLES)]);
      writeRtpHeader(packet, { marker: false, payloadType: 0, sequence: index, timestamp: index * SAMPLES, ssrc: 7 });
      hash.update(packet.subarray(12));
      return packet;
    });
    return { packets: list, sha256: hash.digest("hex") };
  };
  const audit = async (): Promise<readonly Record<string, string>[]> =>
    (await readFile(join(t.folder, "audit.log"), "utf8"))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, string>);

  it("brings each byte to its speaker, with reports, and is told to the audit log with beginning and end", async () => {
    const login = await talkers();
    const { client, ask, setUp } = await connect(login);
    const description = (await ask("DESCRIBE")).body.toString();
    expect(description).to.match(
      /m=audio 0 RTP\/AVP 0\r\na=rtpmap:0 PCMU\/8000\r\na=control:track3\r\na=sendonly\r\n$/,
    );
    for (const track of [0, 1, SPEAKER]) expect((await setUp(track)).status).to.equal(200);
    const { packets, sha256 } = speech(25);
    // What is said before the answer to PLAY is heard by nobody.
    for (const packet of speech(5).packets) client.send(2 * SPEAKER, packet);
    expect((await ask("PLAY")).status).to.equal(200);
    for (const packet of packets) client.send(2 * SPEAKER, packet);
    await eventually(() => camera.heard?.packets === 25);
    expect(camera.heard).to.deep.include({ bytes: 25 * SAMPLES, sha256 });
    // One more with every five seconds that it takes.
    expect(camera.heard?.reports).to.be.at.least(1);
    const { packets: seen } = client;
    // The picture goes on meanwhile.
    await eventually(() => client.packets > seen + 10);
    expect(camera.sessions, "who talks gets no picture from it").to.equal(1);
    expect((await ask("TEARDOWN")).status).to.equal(200);
    await eventually(() => !camera.talkedTo);
    const mine = (await audit()).filter(
      ({ who, action }) => who === login.name && action?.startsWith("talk-") === true,
    );
    expect(mine.map(({ action }) => action)).to.deep.equal(["talk-begin", "talk-end"]);
    for (const entry of mine) expect(entry).to.include({ camera: id, interface: "rtsp", address: "127.0.0.1" });
    expect(new Set(mine.map(({ why = "" }) => /talk \w+/.exec(why)?.[0])).size).to.equal(1);
  });

  it("is one's alone: another one is refused with 453, and has it when the first has gone", async () => {
    const [one, two] = [await connect(await talkers()), await connect(await talkers())];
    expect([(await one.setUp(SPEAKER)).status, (await one.ask("PLAY")).status]).to.deep.equal([200, 200]);
    const refused = await two.setUp(SPEAKER);
    expect([refused.status, refused.body.toString()]).to.deep.equal([453, "somebody else is talking to this camera\n"]);
    one.client.close();
    await eventually(async () => (await two.setUp(SPEAKER)).status === 200);
    expect((await two.ask("PLAY")).status).to.equal(200);
  });

  it("is not offered, and refused, without the right, however it is asked for", async () => {
    for (const login of [await t.account({ live: "any" }), await t.account({ live: "any", talk: ["other"] })]) {
      const { ask, setUp } = await connect(login);
      const described = await ask("DESCRIBE");
      expect(described.status).to.equal(200);
      expect(described.body.toString()).not.to.include("sendonly");
      expect((await setUp(SPEAKER)).status).to.equal(404);
    }
    const { ask, setUp } = await connect(await t.account({ talk: "any" }));
    expect((await ask("DESCRIBE")).status, "without the right to watch").to.equal(403);
    expect((await setUp(SPEAKER)).status).to.equal(403);
    expect(camera.talkedTo).to.equal(false);
  });

  it("is not offered to who does not ask for it, and not in recordings", async () => {
    const { client, ask } = await connect(await t.account({ live: "any", playback: "any", talk: "any" }));
    expect((await ask("DESCRIBE", "", [])).body.toString()).not.to.include("sendonly");
    expect((await ask("DESCRIBE", "", ["Require: www.example.com/magic"])).status).to.equal(551);
    client.close();
  });

  it("ends within a second of the right", async () => {
    const login = await talkers();
    const { client, setUp, ask } = await connect(login);
    await setUp(SPEAKER);
    await ask("PLAY");
    expect(camera.talkedTo).to.equal(true);
    await t.bridge.parts.accounts.change(login.id, { grants: [{ right: "live", cameras: "any", interfaces: "any" }] });
    await client.closed;
    await eventually(() => !camera.talkedTo);
    expect((await audit()).filter(({ who }) => who === login.name).at(-1)).to.include({ action: "talk-end" });
  });

  it("leaves a camera alone that takes the question badly: it is watched as before", async () => {
    const odd = await t.camera({ speaker: true, width: 320, height: 180, quirks: ["backchannel-breaks"] });
    const oddId = await t.adopt(odd);
    const login = await t.account({ live: "any", talk: "any" });
    const client = await RtspsClient.open(t.bridge.parts.addresses().doors.rtsps);
    clients.push(client);
    const basic = `Authorization: Basic ${Buffer.from(`${login.name}:${login.secret}`).toString("base64")}`;
    const described = async (): Promise<string> =>
      (await client.ask("DESCRIBE", `rtsps://127.0.0.1/live/${oddId}`, [basic, REQUIRE])).body.toString();
    await t
      .cameras(login)
      .find(({ info }) => info.id === oddId)
      ?.streams[0].live.ready(MINUTE);
    expect(await described())
      .to.match(/m=video/)
      .and.not.to.include("sendonly");
    const { connections } = odd;
    await described();
    expect(odd.connections, "it is not asked again").to.equal(connections);
    expect(odd.sessions).to.be.at.least(1);
  });
});
