import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { connect as connectTls } from "node:tls";
import { expect } from "chai";
import { systemClock } from "../../../base/clock.ts";
import { Fault } from "../../../base/fault.ts";
import { loadIdentity } from "../../../net/tls.ts";
import { multicastPorts } from "../../../rtsp/server/multicast.ts";
import { freeUdpPort } from "../../support/bridge.ts";
import { Client, groupOf, type Reply, Stage, VIDEO } from "./stage.ts";

const TRANSPORT = "Transport: RTP/AVP;multicast";
const LOOPBACK = "127.0.0.1";

/** Hears one track of a group on loopback. */
class Listener {
  readonly packets: Buffer[] = [];
  readonly reports: Buffer[] = [];
  readonly #sockets: Socket[] = [];
  readonly #waiting = new Set<() => void>();

  async open(group: string, ports: readonly [number, number]): Promise<this> {
    for (const [index, port] of ports.entries()) {
      const socket = createSocket({ type: "udp4", reuseAddr: true });
      this.#sockets.push(socket);
      socket.on("message", (packet: Buffer) => {
        (index === 0 ? this.packets : this.reports).push(packet);
        for (const wake of this.#waiting) wake();
        this.#waiting.clear();
      });
      socket.bind(port, group);
      await once(socket, "listening");
      socket.addMembership(group, LOOPBACK);
    }
    return this;
  }

  numbers(): readonly number[] {
    return this.packets.map((packet) => packet.readUInt32BE(12));
  }

  async until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

let groups = 0;

describe("RTP to a multicast group", () => {
  let stage: Stage;
  let client: Client;
  let listener: Listener;
  let to: { readonly address: string; readonly port: number; readonly ttl: number };

  beforeEach(async () => {
    groups += 1;
    // A group of this process alone, so that suites beside this one are not heard.
    const port = await freeUdpPort();
    to = { address: `239.255.${process.pid % 256}.${groups}`, port: Math.min(port - (port % 2), 65_000), ttl: 1 };
    stage = new Stage({ udp: true, multicast: to });
    await stage.start();
    client = await stage.client();
    listener = await new Listener().open(to.address, [to.port, to.port + 1]);
  });
  afterEach(async () => {
    client.socket.destroy();
    listener.close();
    await stage.close();
    expect(stage.clock.pending, "timers").to.equal(0);
    expect(stage.hub.readers, "readers").to.equal(0);
  });

  const publish = (from: number, until: number): void => {
    for (let number = from; number < until; number += 1) stage.hub.publish(groupOf(number));
  };
  const setUp = async (who: Client, path = "/live/gate/track0", account = "vms"): Promise<Reply> => {
    const reply = await who.ask("SETUP", path, [TRANSPORT], account);
    who.session ??= reply.header("session")?.split(";")[0];
    return reply;
  };
  const play = async (who: Client, account = "vms"): Promise<Reply> => {
    await setUp(who, "/live/gate/track0", account);
    return who.ask("PLAY", "/live/gate", [], account);
  };
  const gone = async (): Promise<void> => {
    while (stage.hub.readers > 0) await new Promise((resolve) => setImmediate(resolve));
  };

  it("answers SETUP with the stream's own group, its ports and its reach", async () => {
    expect((await setUp(client)).header("transport")).to.equal(
      `RTP/AVP;multicast;destination=${to.address};ttl=1;port=${to.port}-${to.port + 1}`,
    );
    expect((await setUp(client, "/live/gate/track1")).header("transport")).to.include(`port=${to.port + 2}-`);
  });

  it("begins for the first reader with the newest key frame, with a report before it, and goes on in order", async () => {
    publish(8, 13);
    const reply = await play(client);
    expect(reply.header("rtp-info")).to.include("seq=10");
    publish(13, 30);
    await listener.until(() => listener.numbers().at(-1) === 29 && listener.reports.length > 0);
    expect(listener.numbers()).to.deep.equal(Array.from({ length: 20 }, (_, index) => 10 + index));
    expect(listener.reports.map((report) => report[1])).to.deep.equal([200]);
  });

  it("is sent once, however many read it: nothing again for one who comes later, but the camera is asked for a key frame", async () => {
    let asked = 0;
    stage.hub.onKeyRequest(() => {
      asked += 1;
    });
    publish(10, 13);
    await play(client);
    expect(asked).to.equal(0);
    const later = await stage.client();
    const reply = await play(later);
    expect(reply.status).to.equal(200);
    expect(reply.header("rtp-info")).not.to.include("seq=");
    await later.ask("OPTIONS", "*");
    expect(asked).to.equal(1);
    publish(13, 20);
    await listener.until(() => listener.numbers().at(-1) === 19);
    expect(listener.numbers()).to.deep.equal(Array.from({ length: 10 }, (_, index) => 10 + index));
    expect(stage.hub.readers).to.equal(1);
    later.socket.destroy();
  });

  it("goes on until the last reader has left, by whatever way", async () => {
    publish(10, 11);
    const [second, third] = [await stage.client(), await stage.client()];
    for (const one of [client, second, third]) await play(one);
    expect((await client.ask("PAUSE", "/live/gate")).status).to.equal(200);
    expect((await second.ask("TEARDOWN", "/live/gate")).status).to.equal(200);
    await second.ask("OPTIONS", "*", [], "");
    publish(11, 12);
    await listener.until(() => listener.numbers().at(-1) === 11);
    third.socket.destroy();
    await gone();
    expect((await client.ask("PLAY", "/live/gate")).status).to.equal(200);
    publish(20, 21);
    await listener.until(() => listener.numbers().at(-1) === 20);
    second.socket.destroy();
  });

  it("ends for an account whose right has ended, and for the group when nobody else may", async () => {
    publish(10, 11);
    const other = await stage.client();
    await play(client, "vms");
    await play(other, "psim");
    stage.revoked.get("vms")?.abort(new Fault("denied", "revoked"));
    await client.until(() => client.closed);
    publish(11, 12);
    await listener.until(() => listener.numbers().at(-1) === 11);
    stage.revoked.get("psim")?.abort(new Fault("denied", "revoked"));
    await other.until(() => other.closed);
    expect(stage.hub.readers).to.equal(0);
  });

  it("takes up tracks that somebody has set up, and no others", async () => {
    const sound = await new Listener().open(to.address, multicastPorts(to, 1) as [number, number]);
    publish(10, 11);
    await play(client);
    stage.hub.publish(groupOf(11, { track: 1 }));
    const other = await stage.client();
    await setUp(other, "/live/gate/track1");
    expect((await other.ask("PLAY", "/live/gate")).status).to.equal(200);
    stage.hub.publish(groupOf(12, { track: 1 }));
    await sound.until(() => sound.packets.length > 0);
    expect(sound.numbers()).to.deep.equal([12]);
    sound.close();
    other.socket.destroy();
  });

  it("ends when the client has asked nothing for 70 s, though the stream goes on", async () => {
    publish(10, 11);
    await play(client);
    await stage.clock.advance(60_000);
    expect((await client.ask("GET_PARAMETER", "/live/gate")).status).to.equal(200);
    await stage.clock.advance(60_000);
    expect(client.closed).to.equal(false);
    await stage.clock.advance(11_000);
    await client.until(() => client.closed);
  });

  it("ends for all when the camera's tracks become others", async () => {
    publish(10, 11);
    const other = await stage.client();
    await play(client);
    await play(other);
    stage.hub.describe([{ ...VIDEO, payloadType: 97 }], [100]);
    await client.until(() => client.closed);
    await other.until(() => other.closed);
  });

  it("starts and ends with many at once, leaving nothing behind", async () => {
    publish(10, 11);
    const many = await Promise.all(Array.from({ length: 20 }, () => stage.client()));
    const replies = await Promise.all(many.map((one) => play(one)));
    expect(replies.map(({ status }) => status)).to.deep.equal(many.map(() => 200));
    expect(stage.hub.readers).to.equal(1);
    for (const one of many) one.socket.destroy();
    await gone();
  });

  const refused: readonly (readonly [what: string, path: string, transport: string])[] = [
    ["another group of the client's choice", "/live/gate/track0", `${TRANSPORT};destination=239.1.2.3`],
    ["an address of the client's choice", "/live/gate/track0", `${TRANSPORT};destination=192.0.2.9;port=53-54`],
    ["a recording", "/recorded/gate/track0", TRANSPORT],
    ["a stream without a group", "/live/yard/track0", TRANSPORT],
  ];
  for (const [what, path, transport] of refused)
    it(`is refused for ${what}`, async () => {
      expect((await client.ask("SETUP", path, [transport])).status).to.equal(461);
    });

  it("is refused inside HTTP and WebSockets", async () => {
    for (const carrier of ["HTTP", "WebSocket"] as const) {
      const tunnelled = await stage.client(carrier);
      expect((await tunnelled.ask("SETUP", "/live/gate/track0", [TRANSPORT])).status).to.equal(461);
      tunnelled.socket.destroy();
    }
  });

  it("is refused inside TLS, whose description does not name the group", async () => {
    const folder = await mkdtemp(`${tmpdir()}/viaduct-multicast-`);
    const identity = await loadIdentity(folder, [LOOPBACK], systemClock);
    const { port } = await stage.server.listen({ address: LOOPBACK, port: 0, identity });
    const secure = new Client(connectTls({ port, host: LOOPBACK, rejectUnauthorized: false }), `rtsps://${LOOPBACK}`);
    await secure.connected;
    expect((await secure.ask("SETUP", "/live/gate/track0", [TRANSPORT])).status).to.equal(461);
    expect((await secure.ask("DESCRIBE", "/live/gate?multicast")).body).to.include("c=IN IP4 0.0.0.0");
    secure.socket.destroy();
    await rm(folder, { recursive: true, force: true });
  });

  it("is named by the description where the address asks for it, and only there", async () => {
    const asked = (await client.ask("DESCRIBE", "/live/gate?multicast")).body;
    expect(asked).to.include(`c=IN IP4 ${to.address}/1\r\n`);
    expect(asked)
      .to.include(`m=video ${to.port} RTP/AVP 96`)
      .and.to.include(`m=audio ${to.port + 2} RTP/AVP 0`);
    for (const path of ["/live/gate", "/live/yard?multicast", "/recorded/gate?multicast"]) {
      const { body } = await client.ask("DESCRIBE", path);
      expect(body, path).to.include("c=IN IP4 0.0.0.0").and.to.include("m=video 0 ");
    }
  });
});
