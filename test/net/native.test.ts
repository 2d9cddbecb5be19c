import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { constants } from "node:os";
import { expect } from "chai";
import * as fc from "fast-check";
import { descriptorOf, type NativeSender, nativeSender, sendingBy } from "../../net/native.ts";
import { openPortPair, type PortPair } from "../../net/udp.ts";
import { native } from "../support/native.ts";

const { EAGAIN, EBADF, EINVAL, ENOTSOCK, EOPNOTSUPP } = constants.errno;
const BYTES = Buffer.from("bytes");

describe("the native sender", () => {
  let sender: NativeSender;
  before(function () {
    sender = native(this);
  });

  it("is known by a switch: with it, Node.js sends alone", () => {
    const known = process.env["VIADUCT_NATIVE"];
    process.env["VIADUCT_NATIVE"] = "off";
    expect(nativeSender()).to.equal(undefined);
    if (known === undefined) delete process.env["VIADUCT_NATIVE"];
    else process.env["VIADUCT_NATIVE"] = known;
    expect(sendingBy(undefined)).to.equal("Node.js alone");
    expect(sendingBy(sender)).to.match(/^the native sender, with/);
  });

  /** Functions as JavaScript has them: called with anything. */
  const call = (name: string, args: readonly unknown[]): unknown =>
    (sender as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>)[name]?.(...args);
  const wrong: readonly (readonly [name: string, ...args: unknown[]])[] = [
    ...[undefined, null, "1", 1n, {}, Number.NaN, Infinity, 0.5, -1, 2 ** 31, 2 ** 53].flatMap((fd) => [
      ["write", fd, BYTES] as const,
      ["writeTogether", fd, [BYTES]] as const,
      ["limitUnsent", fd, 1000] as const,
      ["ownAlone", fd] as const,
      ["sendDatagrams", fd, [BYTES], true] as const,
      ["sendFramed", fd, Buffer.of(0x24, 0, 0, 0), true] as const,
    ]),
    ...[undefined, null, "bytes", 5, [], {}, new Int8Array(4), new Float64Array(4), new ArrayBuffer(4)].flatMap(
      (bytes) => [
        ["write", 0, bytes] as const,
        ["sendFramed", 0, bytes, true] as const,
        ["sendDatagrams", 0, [BYTES, bytes], true] as const,
        ["writeTogether", 0, [BYTES, bytes]] as const,
      ],
    ),
    ...[undefined, null, 0, [0], new Uint8Array(1), new Uint32Array(1), new Int32Array(0)].flatMap((fds) => [
      ["writeAll", fds, BYTES, new Int32Array(1)] as const,
      ["writeAll", new Int32Array(1), BYTES, fds] as const,
      ["sendFramedAll", fds, Buffer.of(0x24, 0, 0, 0), true, new Int32Array(1)] as const,
      ["sendFramedAll", new Int32Array(1), Buffer.of(0x24, 0, 0, 0), true, fds] as const,
    ]),
    ["writeAll", new Int32Array(1), "bytes", new Int32Array(1)],
    ["writeAll", new Int32Array(1), BYTES],
    ["sendFramedAll", new Int32Array(1), BYTES, true, new Int32Array(1)],
    ["sendFramedAll", new Int32Array(1), Buffer.of(0x24, 0, 0, 1), true, new Int32Array(1)],
    ["sendFramedAll", new Int32Array(1), Buffer.of(0x24, 0, 0, 0), 1, new Int32Array(1)],
    ["write"],
    ["writeTogether", 0, BYTES],
    ["write", 0],
    ["write", 0, BYTES, BYTES],
    ["limitUnsent", 0, 0],
    ["limitUnsent", 0, -1],
    ["openDatagrams", 5, 0],
    ["openDatagrams", "127.0.0.1", -1],
    ["openDatagrams", "127.0.0.1", 65_536],
    ["sendDatagrams", 0, BYTES, true],
    ["sendDatagrams", 0, { length: 2 ** 31 }, true],
    ["sendDatagrams", 0, Array.from({ length: 3 }), true],
    ["sendDatagrams", 0, [BYTES], 1],
    ["sendFramed", 0, Buffer.of(0x24), true],
    ["sendFramed", 0, Buffer.of(0x24, 0, 0, 1), true],
    ["sendFramed", 0, Buffer.of(0x24, 0, 0xff, 0xff, 1, 2, 3), true],
    ["sendFramed", 0, Buffer.of(0x24, 0, 0, 1, 9, 0x23, 0, 0, 0), true],
  ];
  it(`refuses ${wrong.length} wrong ways to call it`, () => {
    for (const [name, ...args] of wrong)
      expect(() => call(name, args), `${name}, ${args.length} arguments: ${typeof args[0]}`).to.throw(TypeError);
  });

  it("tells what the system says of descriptors that are none, or of something else", () => {
    const file = openSync("/dev/null", "w");
    const none = 1_000_000;
    expect([
      sender.write(none, BYTES),
      sender.writeTogether(none, [BYTES]),
      sender.limitUnsent(none, 1000),
      sender.ownAlone(none),
      sender.sendDatagrams(none, [BYTES], true),
      sender.write(file, BYTES),
      sender.writeTogether(file, [BYTES]),
      sender.sendDatagrams(file, [BYTES, BYTES], true),
      sender.sendFramed(file, Buffer.of(0x24, 0, 0, 0), false),
    ]).to.deep.equal([...Array<number>(5).fill(-EBADF), ...Array<number>(4).fill(-ENOTSOCK)]);
    closeSync(file);
  });

  it("binds to literal addresses of this machine alone", () => {
    for (const address of ["", "localhost", "127.0.0.1\0", "x".repeat(10_000), "::1%nothing"])
      expect(sender.openDatagrams(address, 0), address).to.equal(-EINVAL);
    expect(sender.openDatagrams("198.51.100.1", 0)).to.equal(-constants.errno.EADDRNOTAVAIL);
    for (const address of ["127.0.0.1", "::1"]) closeSync(sender.openDatagrams(address, 0));
  });

  it("sends nothing of nothing", () => {
    expect(sender.sendDatagrams(0, [], true)).to.equal(0);
    expect(sender.sendFramed(0, Buffer.alloc(0), true)).to.equal(0);
  });

  describe("on a TCP socket", () => {
    let server: Server;
    let near: Socket;
    let far: Socket;
    beforeEach(async () => {
      server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
      await once(server, "listening");
      near = connect((server.address() as AddressInfo).port, "127.0.0.1");
      [far] = (await once(server, "connection")) as [Socket];
    });
    afterEach(() => {
      near.destroy();
      far.destroy();
      server.close();
    });
    const fdOf = (socket: Socket): number => descriptorOf(socket) ?? -1;

    it("takes what there is room for, says how much, and then that there is none", async () => {
      expect(sender.limitUnsent(fdOf(near), 64 * 1024)).to.equal(0);
      const chunk = Buffer.alloc(1024 * 1024, 7);
      let sent = 0;
      let taken = sender.write(fdOf(near), chunk);
      for (; taken > 0; taken = sender.write(fdOf(near), chunk)) sent += taken;
      expect(taken).to.equal(-EAGAIN);
      let received = 0;
      far.on("data", (bytes: Buffer) => {
        received += bytes.length;
      });
      const total = sent;
      await new Promise<void>((resolve) => {
        far.on("data", () => void (received === total && resolve()));
        far.resume();
      });
      expect(received).to.equal(sent);
    });

    it("takes many pieces as one, and 64 at most", async () => {
      const parts = Array.from({ length: 70 }, (_, index) => Buffer.alloc(index % 3, index));
      const whole = Buffer.concat(parts.slice(0, 64));
      expect(sender.writeTogether(fdOf(near), parts)).to.equal(whole.length);
      const received: Buffer[] = [];
      far.on("data", (bytes: Buffer) => received.push(bytes));
      far.resume();
      near.end();
      await once(far, "end");
      expect(Buffer.concat(received).equals(whole)).to.equal(true);
    });

    it("says when the other side is gone, and ends nothing by a signal", () => {
      const fd = fdOf(near);
      near.pause();
      far.resetAndDestroy();
      let taken = 0;
      // Before the loop goes round, in which Node.js would notice, and close the descriptor.
      while (taken >= 0) taken = sender.write(fd, BYTES);
      expect(taken).to.be.oneOf([-constants.errno.EPIPE, -constants.errno.ECONNRESET]);
    });

    it("takes the same for many, and says of each how much, and of those before and behind a closed one too", async () => {
      const fds = Int32Array.of(fdOf(near), 1_000_000, -1, fdOf(far));
      const taken = new Int32Array(4);
      sender.writeAll(fds, BYTES, taken);
      expect([...taken]).to.deep.equal([BYTES.length, -EBADF, -EBADF, BYTES.length]);
      const received = await Promise.all([near, far].map((socket) => once(socket.resume(), "data")));
      expect(received.map(([bytes]) => String(bytes))).to.deep.equal([String(BYTES), String(BYTES)]);
    });

    it("has no descriptor of a closed one", () => {
      expect(fdOf(near)).to.be.greaterThan(0);
      near.destroy();
      expect(descriptorOf(near)).to.equal(undefined);
    });

    it("is no way to send datagrams", () => {
      expect(sender.limitUnsent(fdOf(near), 1)).to.equal(0);
      expect(sender.sendDatagrams(fdOf(near), [Buffer.alloc(9), Buffer.alloc(9)], true)).to.be.oneOf([
        -EINVAL,
        -EOPNOTSUPP,
        2,
      ]);
    });
  });

  describe("on a UDP socket", () => {
    let far: PortPair;
    let near: UdpSocket;
    let fd: number;
    let got: Buffer[];
    beforeEach(async () => {
      far = await openPortPair("127.0.0.1");
      got = [];
      far.rtp.on("message", (bytes) => got.push(bytes));
      fd = sender.openDatagrams("127.0.0.1", 0);
      near = createSocket("udp4").bind({ fd });
      near.connect(far.ports[0], "127.0.0.1");
      await once(near, "connect");
    });
    afterEach(() => {
      near.close();
      far.close();
    });

    const ways: Readonly<Record<string, (datagrams: readonly Buffer[]) => number>> = {
      "one by one": (datagrams) => sender.sendDatagrams(fd, datagrams, false),
      "in runs": (datagrams) => sender.sendDatagrams(fd, datagrams, true),
      "framed, one by one": (datagrams) => sender.sendFramed(fd, framed(datagrams), false),
      "framed, in runs": (datagrams) => sender.sendFramed(fd, framed(datagrams), true),
      "framed, for many": (datagrams) => {
        const taken = new Int32Array(3);
        sender.sendFramedAll(Int32Array.of(-1, fd, 1_000_000), framed(datagrams), true, taken);
        expect([taken[0], taken[2]]).to.deep.equal([-EBADF, -EBADF]);
        return taken[1] ?? 0;
      },
    };
    for (const [way, send] of Object.entries(ways)) {
      it(`keeps datagrams apart and in order, handed over ${way}`, async () => {
        const size = fc.oneof(fc.constantFrom(0, 1, 100, 1400), fc.integer({ min: 1, max: 1400 }));
        await fc.assert(
          fc.asyncProperty(fc.array(size, { minLength: 1, maxLength: 32 }), async (sizes) => {
            const datagrams = sizes.map((bytes, index) => Buffer.alloc(bytes, index + 1));
            got.length = 0;
            expect(send(datagrams)).to.equal(datagrams.length);
            while (got.length < datagrams.length) await once(far.rtp, "message");
            expect(got).to.deep.equal(datagrams);
          }),
          { numRuns: 50 },
        );
      });

      it(`takes 64 at most, handed over ${way}`, () => {
        expect(send(Array.from({ length: 1000 }, () => BYTES))).to.be.within(1, 64);
      });
    }

    it("may be left to the caller alone, where Node.js would let others bind to its port", async () => {
      const { port } = near.address();
      const other = createSocket({ type: "udp4", reuseAddr: true });
      expect(sender.ownAlone(fd)).to.equal(0);
      other.bind({ port, address: "127.0.0.1", exclusive: true });
      const [error] = (await once(other, "error")) as [NodeJS.ErrnoException];
      expect(error.code).to.equal("EADDRINUSE");
      other.close();
    });
  });
});

/** Behind frame headers, in one buffer. */
function framed(packets: readonly Buffer[]): Buffer {
  return Buffer.concat(packets.flatMap((packet) => [Buffer.of(0x24, 0, packet.length >> 8, packet.length), packet]));
}
