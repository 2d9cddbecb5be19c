import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { connect } from "node:tls";
import { expect } from "chai";
import { systemClock } from "../../../base/clock.ts";
import { parseMikey, printMikey } from "../../../media/mikey.ts";
import { SrtpReceiver, SrtpSender } from "../../../media/srtp.ts";
import type { SrtpKeys } from "../../../media/srtp-cipher.ts";
import { type Identity, loadIdentity } from "../../../net/tls.ts";
import { openPortPair } from "../../../net/udp.ts";
import { START } from "../../media/receiver-fixture.ts";
import { openRtp } from "../../support/srtp.ts";
import { Client, groupOf, type Reply, Stage } from "./stage.ts";

const ADDRESS = "/live/gate?srtp";
const RECEIVER_REPORT = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 1]);

const theirs = (mki: readonly number[], suite: SrtpKeys["suite"] = "AEAD_AES_128_GCM"): SrtpKeys => ({
  suite,
  masterKey: Buffer.alloc(16, 9),
  masterSalt: Buffer.alloc(suite === "AEAD_AES_128_GCM" ? 12 : 14, 8),
  mki: Buffer.from(mki),
});
const keyMgmt = (keys: SrtpKeys): string =>
  `KeyMgmt: prot=mikey;uri="";data="${printMikey(keys, { ssrc: 1, now: START }).toString("base64")}"`;

describe("SRTP to clients of RTSPS", () => {
  let folder: string;
  let identity: Identity;
  let stage: Stage;
  let port: number;
  let client: Client;

  before(async () => {
    folder = await mkdtemp(`${tmpdir()}/viaduct-srtp-`);
    identity = await loadIdentity(folder, ["127.0.0.1"], systemClock);
  });
  after(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    stage = new Stage({ udp: true, srtp: true });
    await stage.start();
    ({ port } = await stage.server.listen({ address: "127.0.0.1", port: 0, identity }));
    client = await open();
  });
  afterEach(async () => {
    client.socket.destroy();
    await stage.close();
    expect(stage.clock.pending, "timers").to.equal(0);
    expect(stage.hub.readers, "readers").to.equal(0);
  });

  const open = async (): Promise<Client> => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    const made = new Client(socket, "rtsps://127.0.0.1");
    made.hear(await openPortPair("127.0.0.1"));
    await made.connected;
    return made;
  };
  const publish = (from: number, to: number): void => {
    for (let number = from; number < to; number += 1) stage.hub.publish(groupOf(number));
  };
  const transport = (more = ""): string =>
    `Transport: RTP/SAVP/UDP;unicast;client_port=${client.ports?.ports.join("-")}${more}`;
  const setUp = async (...headers: readonly string[]): Promise<Reply> => {
    const reply = await client.ask("SETUP", ADDRESS.replace("?", "/track0?"), [transport(), ...headers]);
    client.session ??= reply.header("session")?.split(";")[0];
    return reply;
  };
  /** The keys that the description offers. */
  const offered = async (track = 0): Promise<SrtpKeys> => {
    const { body } = await client.ask("DESCRIBE", ADDRESS);
    expect(body.match(/^m=.*$/gm)).to.deep.equal(["m=video 0 RTP/SAVP 96", "m=audio 0 RTP/SAVP 0"]);
    const messages = [...body.matchAll(/^a=key-mgmt:mikey ([A-Za-z0-9+/=]+)\r$/gm)];
    expect(messages).to.have.length(2);
    return parseMikey(Buffer.from(messages[track]?.[1] ?? "", "base64"));
  };
  /** What the payloads of the packets that came are, under `keys`. */
  const numbers = (keys: SrtpKeys): readonly (number | undefined)[] =>
    client.packets
      .filter(({ channel }) => channel === 0)
      .map(({ packet }) => openRtp(keys, packet, packet.readUInt16BE(2))?.readUInt32BE(0));
  const heard = (count: number): Promise<void> =>
    client.until(() => client.packets.filter(({ channel }) => channel === 0).length >= count);

  it("comes under the keys of the description, packets and reports", async () => {
    publish(10, 13);
    const keys = await offered();
    const reply = await setUp();
    expect(reply.header("transport")).to.match(/^RTP\/SAVP\/UDP;unicast;client_port=.*;server_port=.*;ssrc=00000064$/);
    expect((await client.ask("PLAY", ADDRESS)).status).to.equal(200);
    await heard(3);
    expect(numbers(keys)).to.deep.equal([10, 11, 12]);
    await client.until(() => client.packets.some(({ channel }) => channel === 1));
    const report = client.packets.find(({ channel }) => channel === 1)?.packet ?? Buffer.alloc(0);
    expect(new SrtpReceiver(keys).openReport(report)?.readUInt32BE(4)).to.equal(100);
  });

  it("has other keys for each track, each description and each session", async () => {
    const all = [await offered(0), await offered(1), await offered(0)].map(({ masterKey }) =>
      masterKey.toString("hex"),
    );
    expect(new Set(all).size).to.equal(3);
    expect((await setUp()).status).to.equal(200);
    const again = await setUp();
    expect(again.status).to.equal(463);
    expect(again.body).to.include("DESCRIBE");
  });

  it("takes the client's key for all where it has a name, with the name in each packet", async () => {
    publish(10, 12);
    for (const suite of ["AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80"] as const) {
      const keys = theirs([0, 0, 0, 5], suite);
      await offered();
      expect((await setUp(keyMgmt(keys))).status).to.equal(200);
      client.packets.length = 0;
      expect((await client.ask("PLAY", ADDRESS)).status).to.equal(200);
      await heard(2);
      expect(numbers(keys)).to.deep.equal([10, 11]);
      await client.ask("TEARDOWN", ADDRESS);
      client.session = undefined;
    }
  });

  it("takes a key without a name for the client's reports alone", async () => {
    publish(10, 11);
    const keys = await offered();
    await setUp(keyMgmt(theirs([])));
    await client.ask("PLAY", ADDRESS);
    await heard(1);
    expect(numbers(keys)).to.deep.equal([10]);
    expect(await livesBy(new SrtpSender(theirs([])).protectReport(RECEIVER_REPORT))).to.equal(true);
  });

  /** `answer`: of the SETUP, in the order of requests. `silentMs`: before the report. */
  const livesBy = async (report: Buffer, { answer = 1, silentMs = 50_000 } = {}): Promise<boolean> => {
    const setup = (await client.reply(answer)).header("transport") ?? "";
    const [, reports = 0] = (/server_port=(\d+)-(\d+)/.exec(setup) ?? []).slice(1).map(Number);
    await stage.clock.advance(silentMs);
    const heard = stage.server.sessions("vms");
    client.ports?.rtcp.send(report, reports, "127.0.0.1");
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await stage.clock.advance(30_000);
    if (stage.server.sessions("vms") === heard) return !client.closed;
    await client.until(() => client.closed);
    return false;
  };

  const reports: readonly (readonly [what: string, made: (keys: SrtpKeys) => Buffer, lives: boolean])[] = [
    ["a protected report", (keys) => new SrtpSender(keys).protectReport(RECEIVER_REPORT), true],
    ["a report in the clear", () => RECEIVER_REPORT, false],
    ["a report under another key", () => new SrtpSender(theirs([])).protectReport(RECEIVER_REPORT), false],
  ];
  for (const [what, made, lives] of reports)
    it(`${lives ? "is kept alive" : "is not kept alive"} by ${what}`, async () => {
      publish(10, 11);
      const keys = await offered();
      await setUp();
      await client.ask("PLAY", ADDRESS);
      expect(await livesBy(made(keys))).to.equal(lives);
    });

  it("is not kept alive by its own reports, sent back", async () => {
    publish(10, 11);
    await offered();
    await setUp();
    await client.ask("PLAY", ADDRESS);
    await client.until(() => client.packets.some(({ channel }) => channel === 1));
    const own = client.packets.find(({ channel }) => channel === 1)?.packet ?? Buffer.alloc(0);
    expect(await livesBy(own)).to.equal(false);
  });

  it("goes on after a pause without protecting anything twice", async () => {
    publish(10, 13);
    const keys = await offered();
    await setUp();
    await client.ask("PLAY", ADDRESS);
    await heard(3);
    expect((await client.ask("PAUSE", ADDRESS)).status).to.equal(200);
    expect((await client.ask("PLAY", ADDRESS)).status).to.equal(200);
    publish(13, 15);
    await heard(5);
    expect(numbers(keys)).to.deep.equal([10, 11, 12, 13, 14]);
  });

  it("counts on under a key that the client gives again, also when it had another one or way meanwhile", async () => {
    publish(10, 12);
    const keys = theirs([0, 0, 0, 5]);
    const reports = (): readonly Buffer[] =>
      client.packets.filter(({ channel }) => channel === 1).map(({ packet }) => packet);
    const indices = (): readonly number[] => reports().map((packet) => packet.readUInt32BE(packet.length - 8));
    const again: readonly (() => Promise<unknown>)[] = [
      () => setUp(keyMgmt(keys)),
      () => setUp(keyMgmt(theirs([0, 0, 0, 6], "AES_CM_128_HMAC_SHA1_80"))),
      () => client.ask("SETUP", "/live/gate/track0?srtp", ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1"]),
    ];
    await setUp(keyMgmt(keys));
    for (const [count, meanwhile] of again.entries()) {
      await client.ask("PLAY", ADDRESS);
      publish(12 + count, 13 + count);
      await client.until(() => reports().length > count);
      await client.ask("PAUSE", ADDRESS);
      await meanwhile();
      expect((await setUp(keyMgmt(keys))).status).to.equal(200);
    }
    expect(indices()).to.deep.equal([0x8000_0001, 0x8000_0002, 0x8000_0003]);
    expect(numbers(keys)).to.deep.equal([10, 11, 12, 13, 14]);
    const renamed = await setUp(keyMgmt({ ...keys, mki: Buffer.from([0, 0, 0, 7]) }));
    expect(renamed.status).to.equal(400);
    expect(renamed.body).to.include("another name");
  });

  it("takes no report twice under one key of several tracks", async () => {
    publish(10, 11);
    const keys = theirs([0, 0, 0, 5]);
    await setUp(keyMgmt(keys));
    const second = await client.ask("SETUP", ADDRESS.replace("?", "/track1?"), [transport(), keyMgmt(keys)]);
    expect(second.status).to.equal(200);
    expect((await client.ask("PLAY", ADDRESS)).status).to.equal(200);
    const report = new SrtpSender(keys).protectReport(RECEIVER_REPORT);
    expect(await livesBy(report, { answer: 0 })).to.equal(true);
    expect(await livesBy(report, { answer: 0, silentMs: 35_000 })).to.equal(false);
  });

  it("is the client's choice: interleaved in TLS stays", async () => {
    await offered();
    const tcp = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1";
    expect((await client.ask("SETUP", "/live/gate/track0?srtp", [tcp])).status).to.equal(200);
  });

  const refused: readonly (readonly [what: string, headers: () => readonly string[], status: number])[] = [
    ["no keys", () => [transport()], 463],
    ["keys of another protocol", () => [transport(), 'KeyMgmt: prot=sdes;data="AAAA"'], 463],
    ["broken keys", () => [transport(), 'KeyMgmt: prot=mikey;uri="";data="AQAFAP1td9ABAADC"'], 463],
    ["another address", () => [transport(";destination=192.0.2.9"), keyMgmt(theirs([1]))], 461],
    ["RTP in the clear", () => [transport().replace("SAVP", "AVP")], 461],
    [
      "SRTP inside the connection",
      () => ["Transport: RTP/SAVP/TCP;unicast;interleaved=0-1", keyMgmt(theirs([1]))],
      461,
    ],
  ];
  for (const [what, headers, status] of refused)
    it(`refuses ${what} with ${status}`, async () => {
      expect((await client.ask("SETUP", "/live/gate/track0", headers())).status).to.equal(status);
    });

  it("is never had, nor are its keys told, over plain RTSP, in HTTP or in WebSockets", async () => {
    for (const carrier of ["TCP", "HTTP", "WebSocket"] as const) {
      const other = await stage.client(carrier);
      const described = await other.ask("DESCRIBE", ADDRESS);
      expect(described.status, carrier).to.equal(461);
      expect(described.body).to.include("rtsps://").and.not.to.include("key-mgmt");
      const setup = await other.ask("SETUP", "/live/gate/track0", [transport(), keyMgmt(theirs([1]))]);
      expect(setup.status, carrier).to.equal(461);
      other.socket.destroy();
    }
  });
});
