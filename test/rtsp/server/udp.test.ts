import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { connect as connectTls } from "node:tls";
import { expect } from "chai";
import { systemClock } from "../../../base/clock.ts";
import { later } from "../../../base/units.ts";
import { PacketGroup } from "../../../media/group.ts";
import { loadIdentity } from "../../../net/tls.ts";
import { START } from "../../media/receiver-fixture.ts";
import { SENDERS, useNative } from "../../support/native.ts";
import { Client, groupOf, Stage } from "./stage.ts";

const RECEIVER_REPORT = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 1]);

/** Where the payload begins in a packet with the header extension of ONVIF's replay. */
const BEHIND_EXTENSION = 28;

for (const sender of SENDERS)
  describe(`RTP over UDP, with ${sender}`, () => {
    useNative(sender);
    let stage: Stage;
    let client: Client;

    beforeEach(async () => {
      stage = new Stage({ udp: true });
      await stage.start();
      client = await stage.client("UDP");
    });
    afterEach(async () => {
      client.socket.destroy();
      await stage.close();
      expect(stage.clock.pending, "timers").to.equal(0);
      expect(stage.hub.readers, "readers").to.equal(0);
    });

    const publish = (from: number, to: number): void => {
      for (let number = from; number < to; number += 1) stage.hub.publish(groupOf(number));
    };
    const serverPorts = (): readonly number[] =>
      (/server_port=(\d+)-(\d+)/.exec(client.transport ?? "") ?? []).slice(1).map(Number);

    it("comes from the ports that SETUP names, to those that the client named", async () => {
      publish(10, 11);
      const from = Promise.all(
        [client.ports?.rtp, client.ports?.rtcp].map(async (socket) =>
          socket ? (await once(socket, "message"))[1] : {},
        ),
      );
      await client.play("/live/gate");
      expect(client.transport).to.include(`client_port=${client.ports?.ports.join("-")}`);
      expect((await from).map(({ address, port }) => [address, port])).to.deep.equal(
        serverPorts().map((port) => ["127.0.0.1", port]),
      );
      await client.until(() => client.packets.length === 2);
      expect(client.reports()).to.deep.equal([200]);
      expect(client.numbers()).to.deep.equal([10]);
    });

    it("brings a key frame of 100 KB whole and in order, and what follows it", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      await client.until(() => client.numbers().length === 1);
      const small = groupOf(0).packets[0] ?? Buffer.alloc(0);
      const packets = Array.from({ length: 80 }, (_, index) => {
        const packet = Buffer.concat([small, Buffer.alloc(1280)]);
        packet.writeUInt32BE(1000 + index, 12);
        return packet;
      });
      for (let count = 0; count < 5; count += 1) {
        const marks = { track: 0, rtpTime: 0, at: later(START, 2000), quality: "camera", key: true } as const;
        stage.hub.publish(new PacketGroup({ ...marks, discontinuity: false }, packets));
        stage.hub.publish(groupOf(2000 + count));
        await client.until(() => client.numbers().at(-1) === 2000 + count);
        expect(client.numbers().slice(-81)).to.deep.equal([...packets.map((_, index) => 1000 + index), 2000 + count]);
      }
    });

    it("ends when the client has shown no sign of life for 70 s, though the camera sends on", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      for (let second = 0; second < 75; second += 5) {
        publish(20, 21);
        await stage.clock.advance(5000);
      }
      await client.until(() => client.closed);
    });

    it("goes on while the client reports, or asks anything", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      const [, reports = 0] = serverPorts();
      for (let count = 0; count < 4; count += 1) {
        await stage.clock.advance(50_000);
        client.ports?.rtcp.send(RECEIVER_REPORT, reports, "127.0.0.1");
        // The report must have arrived before time goes on; nothing answers it.
        for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      }
      await stage.clock.advance(50_000);
      expect((await client.ask("GET_PARAMETER", "/live/gate")).status).to.equal(200);
      await stage.clock.advance(60_000);
      expect(client.closed).to.equal(false);
    });

    it("does not take for a sign of life what is no report, or comes from elsewhere", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      const [, reports = 0] = serverPorts();
      const stranger = createSocket("udp4");
      stranger.bind(0, "127.0.0.2");
      await once(stranger, "listening");
      await stage.clock.advance(60_000);
      stranger.send(RECEIVER_REPORT, reports, "127.0.0.1");
      client.ports?.rtcp.send("hello, are you there?", reports, "127.0.0.1");
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      await stage.clock.advance(11_000);
      await client.until(() => client.closed);
      stranger.close();
    });

    it("ends at once when nobody listens at the client's port", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      await client.until(() => client.numbers().length === 1);
      client.ports?.close();
      client.ports = undefined;
      for (let number = 20; !client.closed; number += 1) {
        publish(number, number + 1);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });

    it("pauses, goes on and changes its ports", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      const before = serverPorts();
      expect((await client.ask("PAUSE", "/live/gate")).status).to.equal(200);
      expect((await client.play("/live/gate")).status).to.equal(200);
      expect(serverPorts()).not.to.deep.equal(before);
      publish(11, 20);
      await client.until(() => client.numbers().includes(19));
      expect(await isFree(before[0] ?? 0)).to.equal(true);
    });

    it("gives its ports back with the session, with the connection, and after a refusal", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      const [first = 0] = serverPorts();
      expect((await client.ask("TEARDOWN", "/live/gate")).status).to.equal(200);
      await client.ask("OPTIONS", "*", [], "");
      expect(await isFree(first)).to.equal(true);
      client.session = undefined;
      await client.play("/live/gate");
      const [second = 0] = serverPorts();
      client.socket.destroy();
      while (stage.hub.readers > 0) await new Promise((resolve) => setImmediate(resolve));
      expect(await isFree(second)).to.equal(true);
    });

    it("is not sent to another address, whoever asks for it", async () => {
      const victim = createSocket("udp4");
      victim.bind(0, "127.0.0.2");
      await once(victim, "listening");
      let reached = false;
      victim.on("message", () => {
        reached = true;
      });
      const { port } = victim.address();
      const transport = `Transport: RTP/AVP;unicast;destination=127.0.0.2;client_port=${port}-${port + 1}`;
      publish(10, 11);
      const reply = await client.ask("SETUP", "/live/gate/track0", [transport]);
      expect(reply.status).to.equal(461);
      expect(reply.body).to.include("your own address");
      expect((await client.play("/live/gate")).status).to.equal(200);
      publish(11, 20);
      await client.until(() => client.numbers().includes(19));
      expect(reached).to.equal(false);
      victim.close();
    });

    it("carries a recording without rate control, each group once and in order", async () => {
      const range = "Range: clock=20260101T000010Z-20260101T000040Z";
      const reply = await client.play("/recorded/gate", { headers: ["Rate-Control: no", range] });
      expect(reply.status).to.equal(200);
      const got = (): readonly number[] =>
        client.packets
          .filter(({ channel }) => channel === 0)
          .map(({ packet }) => packet.readUInt32BE(BEHIND_EXTENSION));
      await client.until(() => got().length >= 300);
      expect(got()).to.deep.equal(Array.from({ length: 300 }, (_, index) => 100 + index));
    });

    for (const fast of ["Speed: 256.0", "Scale: 256.0", "Rate-Control: no"])
      it(`carries a recording at 16 Mbit/s at most when it is asked for with ${fast}`, async () => {
        const large = new Stage({ udp: true, recordedBytes: 1200 });
        await large.start();
        const one = await large.client("UDP");
        const range = "Range: clock=20260101T000010Z-20260101T000130Z";
        expect((await one.play("/recorded/gate", { headers: [fast, range] })).status).to.equal(200);
        const count = (): number => one.packets.filter(({ channel }) => channel === 0).length;
        // 128 KiB at once.
        await one.until(() => count() >= 100);
        await large.clock.advance(250);
        await one.until(() => count() >= 500);
        for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        expect(count()).to.be.within(500, 560);
        await large.clock.advance(1000);
        await one.until(() => count() === 800);
        one.socket.destroy();
        await large.close();
      });

    it("jumps in a recording behind what was sent before, with no hole in the numbers of its packets", async () => {
      // Two fit into what goes at once: the third one waits for its pace when the client jumps.
      const large = new Stage({ udp: true, recordedBytes: 50_000 });
      await large.start();
      const one = await large.client("UDP");
      const headers = (from: string): readonly string[] => [
        "Require: onvif-replay",
        "Rate-Control: no",
        "Immediate: yes",
        `Range: clock=${from}-20260101T000130Z`,
      ];
      const sent = (): readonly Buffer[] =>
        one.packets.filter(({ channel }) => channel === 0).map(({ packet }) => packet);
      const numberIn = (packet: Buffer): number => packet.readUInt32BE(BEHIND_EXTENSION);
      await one.play("/recorded/gate", { headers: headers("20260101T000010Z") });
      await one.until(() => sent().length >= 2);
      const reply = await one.ask("PLAY", "/recorded/gate", headers("20260101T000050Z"));
      await one.until(() => sent().some((packet) => numberIn(packet) >= 501));
      const first = sent().findIndex((packet) => numberIn(packet) >= 500);
      const [before, after] = [sent().slice(0, first), sent().slice(first)];
      expect(before.map(numberIn)).to.deep.equal(before.map((_, index) => 100 + index));
      expect(after.map(numberIn)).to.deep.equal(after.map((_, index) => 500 + index));
      // A key frame, marked as a discontinuity; and the low byte of CSeq (ONVIF Streaming 6.3).
      expect(after.map((packet) => [(packet[24] ?? 0) & 0xe0, packet[25]])).to.deep.equal(
        after.map((_, index) => [index === 0 ? 0xa0 : 0, 3]),
      );
      expect(new Set(before.map((packet) => packet[25]))).to.deep.equal(new Set([2]));
      const sequences = sent().map((packet) => packet.readUInt16BE(2));
      expect(sequences).to.deep.equal(sequences.map((_, index) => ((sequences[0] ?? 0) + index) & 0xffff));
      expect(reply.header("rtp-info")).to.include(`seq=${sequences[first]}`);
      one.socket.destroy();
      await large.close();
    });

    it("is refused inside HTTP", async () => {
      const tunnelled = await stage.client("HTTP");
      const reply = await tunnelled.ask("SETUP", "/live/gate/track0", [
        "Transport: RTP/AVP;unicast;client_port=5000-5001",
      ]);
      expect(reply.status).to.equal(461);
      tunnelled.socket.destroy();
    });

    it("is refused inside TLS, for it would be in clear text", async () => {
      const folder = await mkdtemp(`${tmpdir()}/viaduct-udp-`);
      const identity = await loadIdentity(folder, ["127.0.0.1"], systemClock);
      const { port } = await stage.server.listen({ address: "127.0.0.1", port: 0, identity });
      const secure = new Client(
        connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }),
        "rtsps://127.0.0.1",
      );
      await secure.connected;
      const reply = await secure.ask("SETUP", "/live/gate/track0", [
        "Transport: RTP/AVP;unicast;client_port=5000-5001",
      ]);
      expect(reply.status).to.equal(461);
      expect((await secure.play("/live/gate")).status).to.equal(200);
      secure.socket.destroy();
      await rm(folder, { recursive: true, force: true });
    });
  });

async function isFree(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  socket.bind({ port, address: "127.0.0.1", exclusive: true });
  const free = await Promise.race([
    once(socket, "listening").then(() => true),
    once(socket, "error").then(() => false),
  ]);
  socket.close();
  return free;
}
