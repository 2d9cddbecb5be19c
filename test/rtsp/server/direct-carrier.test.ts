import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { constants } from "node:os";
import { expect } from "chai";
import * as fc from "fast-check";
import { descriptorOf, type NativeSender } from "../../../net/native.ts";
import { WriteBatch } from "../../../net/write-batch.ts";
import { DirectCarrier } from "../../../rtsp/server/direct-carrier.ts";
import { native } from "../../support/native.ts";

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
  const batchOf = (by: NativeSender): WriteBatch =>
    new WriteBatch((fds, bytes, taken) => by.writeAll(fds, bytes, taken));
  /** The native sender, that takes no more than it is let. */
  const limited = (most: () => number): NativeSender => ({
    ...sender,
    write: (fd, bytes) => {
      const count = most();
      return count < 0 ? count : sender.write(fd, bytes.subarray(0, count));
    },
    writeAll(fds, bytes, taken) {
      for (const [index, fd] of fds.entries()) taken[index] = this.write(fd, bytes);
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
        const batch = batchOf(sending);
        const readers = (await pairs(2)).map(({ near, far }) => {
          const received: Buffer[] = [];
          far.on("data", (bytes: Buffer) => received.push(bytes));
          return { near, far, received, carrier: new DirectCarrier(near, sending, batch), told: [] as number[] };
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
          for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        }
        const expected = steps.flatMap(({ bytes }, index) => {
          const shared = Buffer.alloc(bytes, index + 1);
          return [shared, shared, Buffer.of(0), shared];
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
    const carrier = new DirectCarrier(near, watched, batchOf(watched));
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
    const carrier = new DirectCarrier(near, sender, batchOf(sender));
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

  it("hands the same bytes to the kernel for all sockets in one call, at the end of what the loop does", async () => {
    const calls: number[] = [];
    const counted: NativeSender = {
      ...sender,
      writeAll(fds, bytes, taken) {
        calls.push(fds.length);
        sender.writeAll(fds, bytes, taken);
      },
    };
    const batch = batchOf(counted);
    const all = await pairs(70);
    const carriers = all.map(({ near }) => new DirectCarrier(near, counted, batch));
    const shared = Buffer.from("the same for all");
    const whole = Promise.all(all.map(({ far }) => once(far, "data")));
    for (const carrier of carriers) carrier.write(shared);
    expect(calls).to.deep.equal([64]);
    await Promise.resolve();
    expect(calls).to.deep.equal([64, 6]);
    for (const [bytes] of await whole) expect(String(bytes)).to.equal(String(shared));
    for (const { near, far } of all) for (const socket of [near, far]) socket.destroy();
  });

  it("sends what waits for other sockets before anything else to one of them, and before it says what waits", async () => {
    const sent: string[] = [];
    const recorded: NativeSender = {
      ...sender,
      write(fd, bytes) {
        sent.push(String(bytes));
        return sender.write(fd, bytes);
      },
      writeAll(fds, bytes, taken) {
        sent.push(`${String(bytes)} to ${fds.length}`);
        sender.writeAll(fds, bytes, taken);
      },
    };
    const batch = batchOf(recorded);
    const { near, far } = await pair();
    const other = await pair();
    const carrier = new DirectCarrier(near, recorded, batch);
    const beside = new DirectCarrier(other.near, recorded, batch);
    const group = Buffer.from("group");
    beside.write(group);
    carrier.write(group);
    carrier.write(Buffer.from("answer"), () => undefined);
    expect(sent).to.deep.equal(["group to 2", "answer"]);
    carrier.write(group);
    expect(carrier.writableLength).to.equal(0);
    expect(sent).to.deep.equal(["group to 2", "answer", "group to 1"]);
    carrier.write(group);
    const received: Buffer[] = [];
    far.on("data", (bytes: Buffer) => received.push(bytes));
    carrier.destroy();
    await once(far, "close");
    expect(String(Buffer.concat(received))).to.equal("groupanswergroupgroup");
    for (const socket of [near, far, other.near, other.far]) socket.destroy();
  });

  it("never writes to a descriptor that was closed meanwhile, and is somebody else's by now", async () => {
    const asked: number[] = [];
    const watched: NativeSender = {
      ...sender,
      writeAll(fds, bytes, taken) {
        asked.push(...fds);
        sender.writeAll(fds, bytes, taken);
      },
    };
    const batch = batchOf(watched);
    const [gone, there] = [await pair(), await pair()];
    const bytes = Buffer.from("for those who are there");
    for (const { near } of [gone, there]) new DirectCarrier(near, watched, batch).write(bytes);
    const fd = descriptorOf(gone.near);
    // Not by its carrier: as when the system says that the other side is gone.
    gone.near.destroy();
    const others: number[] = [];
    while (!others.includes(fd ?? -1) && others.length < 1000) others.push(openSync("/dev/null", "w"));
    expect(others).to.include(fd);
    batch.flush();
    expect(asked).to.deep.equal([-1, descriptorOf(there.near)]);
    expect(String((await once(there.far, "data"))[0])).to.equal(String(bytes));
    for (const one of others) closeSync(one);
    for (const socket of [gone.far, there.near, there.far]) socket.destroy();
  });

  it("counts what waits, and says when nothing does any more", async () => {
    const { near, far } = await pair();
    const carrier = new DirectCarrier(near, sender, batchOf(sender));
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
    const carrier = new DirectCarrier(near, sender, batchOf(sender));
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
    const batch = new WriteBatch((fds) => expect([...fds]).to.deep.equal([-1]));
    const gone = new DirectCarrier(near, watched, batch);
    gone.write(Buffer.from("more"), () => undefined);
    gone.write(Buffer.from("more"));
    batch.flush();
    expect(asked).to.equal(0);
  });
});
