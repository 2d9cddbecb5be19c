import { once } from "node:events";
import { expect } from "chai";
import { openPortPair, type PortPair } from "../../../net/udp.ts";
import type { Lane } from "../../../rtsp/server/lane.ts";
import { UdpSink } from "../../../rtsp/server/udp-sink.ts";
import { SENDERS, useNative } from "../../support/native.ts";
import { groupOf, VIDEO } from "./stage.ts";

/** Datagrams of one turn. */
const BURST = 16;
/** Of one of `groupOf`, with its frame header and what it takes besides. */
const WAITING_BYTES = 24 + 96;

for (const sender of SENDERS)
  describe(`a sink of datagrams, with ${sender}`, () => {
    useNative(sender);
    let client: PortPair;
    let lane: Lane;
    let sink: UdpSink;
    const failures: unknown[] = [];
    const numbers: number[] = [];

    beforeEach(async () => {
      numbers.length = 0;
      failures.length = 0;
      client = await openPortPair("127.0.0.1");
      client.rtp.on("message", (packet: Buffer) => numbers.push(packet.readUInt32BE(12)));
      lane = { index: 0, track: VIDEO, pair: client.ports };
      sink = new UdpSink({
        localAddress: "127.0.0.1",
        peerAddress: "127.0.0.1",
        range: undefined,
        onReport: () => undefined,
        failed: (fault) => failures.push(fault),
      });
      await sink.open(0, client.ports);
    });
    afterEach(() => {
      sink.close();
      client.close();
      expect(failures).to.deep.equal([]);
    });

    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const send = (from: number, to: number): void => {
      for (let number = from; number < to; number += 1) sink.group(groupOf(number), lane);
    };

    it("sends a burst in one turn of the loop, however small the groups are, and the rest in later ones", async () => {
      send(0, 500);
      expect(sink.backlogBytes).to.equal((500 - BURST) * WAITING_BYTES);
      await turn();
      expect(sink.backlogBytes).to.equal((500 - 2 * BURST) * WAITING_BYTES);
      await once(sink, "drain");
      expect(sink.backlogBytes).to.equal(0);
      while (numbers.length < 500) await turn();
      expect(numbers).to.deep.equal(Array.from({ length: 500 }, (_, number) => number));
    });

    it("counts reports among them", () => {
      for (let count = 0; count < BURST; count += 1) sink.report(Buffer.alloc(8), lane);
      expect(sink.backlogBytes).to.equal(0);
      send(0, 1);
      expect(sink.backlogBytes).to.equal(WAITING_BYTES);
    });

    it("sends what comes a turn later at once", async () => {
      for (let number = 0; number < 100; number += BURST) {
        send(number, number + BURST);
        expect(sink.backlogBytes).to.equal(0);
        await turn();
      }
    });

    it("goes on by another pair of ports when the one that it sends by is closed", async () => {
      send(0, 500);
      await sink.open(0, client.ports);
      expect(sink.backlogBytes).to.equal(0);
      numbers.length = 0;
      send(1000, 1001);
      while (!numbers.includes(1000)) await turn();
    });
  });
