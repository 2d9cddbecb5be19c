import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { constants } from "node:os";
import { expect } from "chai";
import * as fc from "fast-check";
import type { NativeSender } from "../../../net/native.ts";
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
  /** The native sender, that takes no more than it is let. */
  const limited = (most: () => number): NativeSender => ({
    ...sender,
    write: (fd, bytes) => {
      const count = most();
      return count < 0 ? count : sender.write(fd, bytes.subarray(0, count));
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
        const { near, far } = await pair();
        let most = 0;
        const carrier = new DirectCarrier(
          near,
          limited(() => most),
        );
        const received: Buffer[] = [];
        far.on("data", (bytes: Buffer) => received.push(bytes));
        const told: number[] = [];
        for (const [index, { bytes, taken, corked, turns }] of steps.entries()) {
          most = taken;
          if (corked) carrier.cork();
          carrier.write(Buffer.alloc(bytes, index + 1), () => told.push(index));
          carrier.write(Buffer.of(0));
          if (corked) carrier.uncork();
          for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        }
        carrier.end(Buffer.from("end"));
        await once(far, "end");
        const expected = steps.flatMap(({ bytes }, index) => [Buffer.alloc(bytes, index + 1), Buffer.of(0)]);
        const whole = Buffer.concat([...expected, Buffer.from("end")]);
        expect(Buffer.concat(received).equals(whole)).to.equal(true);
        expect(told.toSorted((a, b) => a - b)).to.deep.equal(steps.map((_, index) => index));
        expect(carrier.bytesWritten).to.equal(whole.length);
        near.destroy();
        far.destroy();
      }),
      { numRuns: 40 },
    );
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
    const gone = new DirectCarrier(
      near,
      limited(() => {
        asked += 1;
        return 1;
      }),
    );
    gone.write(Buffer.from("more"));
    expect(asked).to.equal(0);
  });
});
