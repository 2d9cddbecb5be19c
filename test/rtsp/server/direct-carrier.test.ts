import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { constants } from "node:os";
import { expect } from "chai";
import * as fc from "fast-check";
import type { NativeSender } from "../../../net/native.ts";
import { DirectCarrier } from "../../../rtsp/server/direct-carrier.ts";
import { native } from "../../support/native.ts";
import { groupOf } from "./stage.ts";

describe("a carrier that goes past the stream", () => {
  let sender: NativeSender;
  let server: Server;
  before(async function () {
    sender = native(this);
    server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(() => server?.close());

  const pair = async (): Promise<{ near: Socket; far: Socket }> => {
    const far = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [near] = (await once(server, "connection")) as [Socket];
    for (const socket of [near, far]) socket.on("error", () => undefined);
    return { near, far };
  };
  const pairs = async (count: number): Promise<{ near: Socket; far: Socket }[]> => {
    const all = [];
    // One after the other, so that both ends of each are known.
    while (all.length < count) all.push(await pair());
    return all;
  };
  /** One group for several, as a cohort sends it: the others are sent nothing. */
  const sendTogether = (carriers: readonly DirectCarrier[], bytes: Buffer): void => {
    const fds = Int32Array.from(carriers, (one) => (one.admits(bytes) ? (one.descriptor ?? -1) : -1));
    const taken = new Int32Array(fds.length);
    const group = groupOf(0);
    const whole = carriers[0]?.sendToAll(carriers, fds, bytes, group, taken);
    for (const [index, one] of carriers.entries()) {
      if (fds[index] === -1) one.write(bytes);
      else if (taken[index] !== whole) one.rest(bytes, group, taken[index] ?? 0);
    }
  };
  /** The native sender, that takes no more than it is let. */
  const limited = (most: () => number): NativeSender => ({
    ...sender,
    write: (fd, bytes) => {
      const count = most();
      return count < 0 ? count : sender.write(fd, bytes.subarray(0, count));
    },
    writeAll(fds, bytes, taken) {
      for (const [index, fd] of fds.entries()) taken[index] = fd < 0 ? -constants.errno.EBADF : this.write(fd, bytes);
    },
    writeTogether(fd, parts) {
      return this.write(fd, Buffer.concat(parts));
    },
  });

  it("lets nothing overtake, however much the kernel takes, and tells of each when it is sent", async () => {
    const { EAGAIN } = constants.errno;
    const taken = fc.oneof(fc.constant(-EAGAIN), fc.integer({ min: 1, max: 300_000 }));
    const step = fc.record({
      bytes: fc.integer({ min: 1, max: 200_000 }),
      taken,
      corked: fc.boolean(),
      turns: fc.integer({ min: 0, max: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
        let most = 0;
        const sending = limited(() => most);
        const readers = (await pairs(2)).map(({ near, far }) => {
          const received: Buffer[] = [];
          far.on("data", (bytes: Buffer) => received.push(bytes));
          return { near, far, received, carrier: new DirectCarrier(near, sending), told: [] as number[] };
        });
        for (const [index, { bytes, taken, corked, turns }] of steps.entries()) {
          most = taken;
          const shared = Buffer.alloc(bytes, index + 1);
          const half = Math.floor(bytes / 2);
          for (const { carrier, told } of readers) {
            if (corked) carrier.cork();
            carrier.write(shared);
            carrier.write(shared.subarray(0, half));
            carrier.write(shared.subarray(half));
            carrier.write(Buffer.of(0), () => told.push(index));
            carrier.write(shared);
            if (corked) carrier.uncork();
          }
          sendTogether(
            readers.map(({ carrier }) => carrier),
            shared,
          );
          for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        }
        const expected = steps.flatMap(({ bytes }, index) => {
          const shared = Buffer.alloc(bytes, index + 1);
          return [shared, shared, Buffer.of(0), shared, shared];
        });
        const whole = Buffer.concat([...expected, Buffer.from("end")]);
        const ended = Promise.all(readers.map(({ far }) => once(far, "end")));
        for (const { carrier } of readers) carrier.end(Buffer.from("end"));
        await ended;
        for (const { near, far, received, carrier, told } of readers) {
          expect(Buffer.concat(received).equals(whole)).to.equal(true);
          expect(told.toSorted((a, b) => a - b)).to.deep.equal(steps.map((_, index) => index));
          expect(carrier.bytesWritten).to.equal(whole.length);
          near.destroy();
          far.destroy();
        }
      }),
      { numRuns: 40 },
    );
  });

  it("hands what is corked to the kernel in one call, as one piece what is one in memory, and tells of each when it is gone", async () => {
    const calls: string[][] = [];
    const watched: NativeSender = {
      ...sender,
      writeTogether(fd, parts) {
        calls.push(parts.map(String));
        return sender.writeTogether(fd, parts);
      },
    };
    const { near, far } = await pair();
    const carrier = new DirectCarrier(near, watched);
    const text = Buffer.from("one two three");
    const told: string[] = [];
    carrier.cork();
    carrier.write(text.subarray(0, 4), () => told.push("one"));
    carrier.write(text.subarray(4), () => {
      told.push("two three");
      // Behind all that was gathered.
      carrier.write(Buffer.from(" more"));
    });
    carrier.write(Buffer.from(", elsewhere"), () => told.push("elsewhere"));
    expect([calls, told, carrier.bytesWritten]).to.deep.equal([[], [], 24]);
    carrier.uncork();
    expect(calls).to.deep.equal([["one two three", ", elsewhere"]]);
    expect(told).to.deep.equal(["one", "two three", "elsewhere"]);
    const received: Buffer[] = [];
    far.on("data", (bytes: Buffer) => received.push(bytes));
    carrier.end(Buffer.from(" end"));
    await once(far, "end");
    expect(String(Buffer.concat(received))).to.equal("one two three, elsewhere more end");
    near.destroy();
  });

  it("gathers a bounded much: more goes to the kernel before it is uncorked, so that what waits is known", async () => {
    const { near, far } = await pair();
    const carrier = new DirectCarrier(near, sender);
    far.pause();
    carrier.cork();
    for (let count = 0; carrier.writableLength === 0 && count < 10_000; count += 1)
      carrier.write(Buffer.alloc(16 * 1024));
    expect(carrier.writableLength).to.be.greaterThan(0);
    const drained = new Promise<void>((resolve) => carrier.once("drain", resolve));
    far.resume();
    await drained;
    carrier.uncork();
    for (const socket of [near, far]) socket.destroy();
  });

  it("hands the same bytes to the kernel for all sockets in one call", async () => {
    const calls: number[] = [];
    const counted: NativeSender = {
      ...sender,
      writeAll(fds, bytes, taken) {
        calls.push(fds.length);
        sender.writeAll(fds, bytes, taken);
      },
    };
    const all = await pairs(70);
    const carriers = all.map(({ near }) => new DirectCarrier(near, counted));
    const shared = Buffer.from("the same for all");
    const whole = Promise.all(all.map(({ far }) => once(far, "data")));
    sendTogether(carriers, shared);
    expect(calls).to.deep.equal([70]);
    for (const [bytes] of await whole) expect(String(bytes)).to.equal(String(shared));
    expect(carriers.map(({ bytesWritten }) => bytesWritten)).to.deep.equal(carriers.map(() => shared.length));
    for (const { near, far } of all) for (const socket of [near, far]) socket.destroy();
  });

  it("admits nothing while something waits in it that would be overtaken, and nothing inside of what is gathered", async () => {
    const { near, far } = await pair();
    let most = Number.POSITIVE_INFINITY;
    const carrier = new DirectCarrier(
      near,
      limited(() => most),
    );
    const bytes = Buffer.from("group");
    expect([carrier.isFree, carrier.admits(bytes)]).to.deep.equal([true, true]);
    carrier.cork();
    expect([carrier.isFree, carrier.admits(bytes)]).to.deep.equal([false, false]);
    carrier.uncork();
    far.pause();
    most = 1;
    while (carrier.writableLength === 0) carrier.write(Buffer.alloc(1024 * 1024));
    const before = carrier.bytesWritten;
    expect([carrier.isFree, carrier.admits(bytes)]).to.deep.equal([false, false]);
    expect(carrier.bytesWritten).to.equal(before);
    far.resume();
    await new Promise<void>((resolve) => carrier.once("drain", resolve));
    expect(carrier.isFree).to.equal(true);
    for (const socket of [near, far]) socket.destroy();
  });

  it("admits nothing once it is closed, whoever did that, for its descriptor may be somebody else's by then", async () => {
    const { near, far } = await pair();
    const carrier = new DirectCarrier(near, sender);
    const fd = carrier.descriptor;
    // Not by its carrier: as when the system says that the other side is gone.
    near.destroy();
    const others: number[] = [];
    while (!others.includes(fd ?? -1) && others.length < 1000) others.push(openSync("/dev/null", "w"));
    expect(others).to.include(fd);
    expect([carrier.isFree, carrier.admits(Buffer.from("group")), carrier.descriptor]).to.deep.equal([
      false,
      false,
      undefined,
    ]);
    for (const one of others) closeSync(one);
    far.destroy();
  });

  it("counts what waits, and says when nothing does any more", async () => {
    const { near, far } = await pair();
    const carrier = new DirectCarrier(near, sender);
    far.pause();
    while (carrier.writableLength === 0) carrier.write(Buffer.alloc(1024 * 1024));
    expect(carrier.bytesWritten).to.be.greaterThan(carrier.writableLength);
    far.resume();
    await new Promise<void>((resolve) => carrier.once("drain", resolve));
    expect(carrier.writableLength).to.equal(0);
    carrier.destroy();
    far.destroy();
  });

  it("ends as every socket does when the other side is gone", async () => {
    const { near, far } = await pair();
    const carrier = new DirectCarrier(near, sender);
    const closed = new Promise<void>((resolve) => carrier.on("close", resolve));
    far.resetAndDestroy();
    carrier.write(Buffer.from("more"));
    carrier.write(Buffer.from("more"));
    await closed;
    expect(carrier.destroyed).to.equal(true);
    let asked = 0;
    const watched = limited(() => {
      asked += 1;
      return 1;
    });
    const gone = new DirectCarrier(near, watched);
    gone.write(Buffer.from("more"), () => undefined);
    gone.write(Buffer.from("more"));
    expect(asked).to.equal(0);
  });
});
