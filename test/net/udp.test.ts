import { createSocket, Socket } from "node:dgram";
import { once } from "node:events";
import { expect } from "chai";
import { isFault } from "../../base/fault.ts";
import { openPortPair, type PortPair } from "../../net/udp.ts";
import { SENDERS, useNative } from "../support/native.ts";

for (const sender of SENDERS)
  describe(`a pair of UDP ports, with ${sender}`, () => {
    useNative(sender);
    const pairs: PortPair[] = [];
    const open = async (...of: Parameters<typeof openPortPair>): Promise<PortPair> => {
      const pair = await openPortPair(...of);
      pairs.push(pair);
      return pair;
    };
    afterEach(() => {
      for (const pair of pairs.splice(0)) pair.close();
    });

    it("is an even port and the next one, on the given address alone", async () => {
      for (let count = 0; count < 20; count += 1) {
        const { rtp, rtcp, ports } = await open("127.0.0.1");
        expect(ports[0] % 2).to.equal(0);
        expect(ports[1]).to.equal(ports[0] + 1);
        expect([rtp.address(), rtcp.address()].map(({ address, port }) => [address, port])).to.deep.equal(
          ports.map((port) => ["127.0.0.1", port]),
        );
      }
    });

    it("comes out of a range, passes over what is taken, and is refused when all of it is", async () => {
      // A range that is free at this moment.
      const { ports } = await openPortPair("127.0.0.1").then((pair) => {
        pair.close();
        return pair;
      });
      const range = { first: ports[0] - 1, last: ports[1] };
      expect((await open("127.0.0.1", range)).ports).to.deep.equal(ports);
      const fault = await openPortPair("127.0.0.1", range).catch((error: unknown) => error);
      expect(isFault(fault, "busy")).to.equal(true);
    });

    it("is not half taken: a neighbour that is in use frees the other one again", async () => {
      const { ports } = await openPortPair("127.0.0.1").then((pair) => {
        pair.close();
        return pair;
      });
      const neighbour = await bind(ports[1]);
      const fault = await openPortPair("127.0.0.1", { first: ports[0], last: ports[1] }).catch(
        (error: unknown) => error,
      );
      expect(isFault(fault, "busy")).to.equal(true);
      const other = await bind(ports[0]);
      neighbour.close();
      other.close();
    });

    for (const [nth, which] of [
      [1, "first"],
      [2, "second"],
    ] as const)
      it(`leaves nothing open when the ${which} socket cannot be set up`, async () => {
        const ports: number[] = [];
        // oxlint-disable-next-line typescript/unbound-method -- it is called with its socket
        const { setRecvBufferSize } = Socket.prototype;
        Socket.prototype.setRecvBufferSize = function (bytes) {
          ports.push(this.address().port);
          if (ports.length === nth) throw new Error("no buffers");
          setRecvBufferSize.call(this, bytes);
        };
        const fault = await openPortPair("127.0.0.1")
          .catch((error: unknown) => error)
          .finally(() => {
            Socket.prototype.setRecvBufferSize = setRecvBufferSize;
          });
        expect(isFault(fault, "unavailable")).to.equal(true);
        expect(ports).to.have.length(nth);
        for (const socket of await Promise.all(ports.map(bind))) socket.close();
      });

    it("is not had on an address that is not ours", async () => {
      const fault = await openPortPair("198.51.100.1").catch((error: unknown) => error);
      expect(isFault(fault, "unavailable")).to.equal(true);
    });
  });

async function bind(port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}
