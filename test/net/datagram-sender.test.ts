import type { Socket } from "node:dgram";
import { EventEmitter } from "node:events";
import { constants } from "node:os";
import { expect } from "chai";
import { DatagramSender } from "../../net/datagram-sender.ts";
import type { NativeSender } from "../../net/native.ts";
import { WriteBatch } from "../../net/write-batch.ts";

const { EAGAIN, ECONNREFUSED, EIO } = constants.errno;

/** A socket of Node.js that notes what it is given to send. */
class FakeSocket extends EventEmitter {
  readonly sent: string[] = [];
  queued = 0;
  send(bytes: Uint8Array, sent?: (error: Error | null) => void): void {
    this.sent.push(String(bytes));
    sent?.(null);
  }
  getSendQueueCount(): number {
    return this.queued;
  }
}

describe("sending datagrams", () => {
  const datagrams = ["a", "b", "c"].map((text) => Buffer.from(text));
  let socket: FakeSocket;
  /** What the native sender answers, and what it was asked. */
  let answers: number[];
  let asked: string[];
  const make = (native = true): DatagramSender => {
    const answer = (what: string): number => {
      asked.push(what);
      return answers.shift() ?? 0;
    };
    const sender: Partial<NativeSender> = {
      segments: true,
      sendDatagrams: (_fd, list, segment) => answer(`${list.map(String).join("")}${segment ? " in runs" : ""}`),
      sendFramed: (_fd, framed, segment) => answer(`${framed.length} framed bytes${segment ? " in runs" : ""}`),
    };
    const adopted = native ? { native: sender as NativeSender, fd: 5, batch } : undefined;
    return new DatagramSender(socket as unknown as Socket, adopted);
  };
  const batch = new WriteBatch((fds, framed, taken) => {
    asked.push(`${framed.length} framed bytes to ${fds.join(" and ")}`);
    for (const index of taken.keys()) taken[index] = answers.shift() ?? 0;
  });
  const outcomes: (Error | null)[] = [];
  const note = (error: Error | null): void => void outcomes.push(error);
  beforeEach(() => {
    socket = new FakeSocket();
    answers = [];
    asked = [];
    outcomes.length = 0;
  });

  it("is one call where the native sender takes all", () => {
    answers = [3];
    make().send(datagrams, note);
    expect([asked, socket.sent, outcomes]).to.deep.equal([["abc in runs"], [], [null]]);
  });

  it("goes on behind what was taken", () => {
    answers = [1, 2];
    make().send(datagrams, note);
    expect([asked, socket.sent, outcomes]).to.deep.equal([["abc in runs", "bc in runs"], [], [null]]);
  });

  it("leaves the rest to Node.js where there is no room", () => {
    answers = [1, -EAGAIN];
    make().send(datagrams, note);
    expect([socket.sent, outcomes]).to.deep.equal([["b", "c"], [null]]);
  });

  it("overtakes nothing that Node.js still has", () => {
    socket.queued = 1;
    const sender = make();
    sender.send(datagrams, note);
    expect(sender.sendFramed(Buffer.alloc(9))).to.equal(0);
    expect([asked, socket.sent, outcomes]).to.deep.equal([[], ["a", "b", "c"], [null]]);
  });

  it("hands over no runs any more where the way out refuses them", () => {
    answers = [-EIO, 3, 3, 2];
    const sender = make();
    sender.send(datagrams);
    sender.send(datagrams);
    expect(sender.sendFramed(Buffer.alloc(9))).to.equal(2);
    expect(asked).to.deep.equal(["abc in runs", "abc", "abc", "9 framed bytes"]);
  });

  it("tells an error to who asked, or as the socket's", () => {
    const errors: NodeJS.ErrnoException[] = [];
    socket.on("error", (error: NodeJS.ErrnoException) => errors.push(error));
    answers = [-ECONNREFUSED, -ECONNREFUSED, -ECONNREFUSED];
    const sender = make();
    sender.send(datagrams, note);
    sender.send(datagrams);
    expect(sender.sendFramed(Buffer.alloc(9))).to.equal(0);
    expect(outcomes.map((error) => error?.message)).to.deep.equal(["send ECONNREFUSED"]);
    expect(errors.map(({ code }) => code)).to.deep.equal(["ECONNREFUSED", "ECONNREFUSED"]);
    expect(socket.sent).to.deep.equal([]);
  });

  describe("together with those for other sockets", () => {
    const group = Buffer.alloc(9);
    const rests: number[] = [];
    const note = (taken: number): void => void rests.push(taken);
    beforeEach(() => {
      rests.length = 0;
    });

    it("is one call, at the end of what the loop does, and tells those of whom not all was taken", async () => {
      answers = [2, 1, -EAGAIN];
      for (const sender of [make(), make(), make()]) expect(sender.sendTogether(group, 2, note)).to.equal(true);
      expect(asked).to.deep.equal([]);
      await Promise.resolve();
      expect([asked, rests]).to.deep.equal([["9 framed bytes to 5 and 5 and 5"], [1, 0]]);
    });

    it("comes before whatever else is sent", () => {
      const sender = make();
      const others: readonly (() => void)[] = [
        () => sender.send(datagrams),
        () => void sender.sendFramed(Buffer.alloc(3)),
        () => void sender.sendTogether(group, 2, note),
        () => sender.close(),
      ];
      for (const other of others) {
        asked = [];
        answers = [2, 3, 3];
        sender.sendTogether(group, 2, note);
        other();
        expect(asked[0]).to.equal("9 framed bytes to 5");
        batch.flush();
      }
    });

    it("touches no descriptor of one that was closed meanwhile", () => {
      make().sendTogether(group, 2, note);
      socket.emit("close");
      batch.flush();
      expect(asked).to.deep.equal(["9 framed bytes to -1"]);
    });

    it("is not to be had where Node.js has something to send, runs are refused, or it is closed", () => {
      socket.queued = 1;
      expect(make().sendTogether(group, 2, note)).to.equal(false);
      socket.queued = 0;
      const refused = make();
      answers = [-EIO, 3];
      refused.send(datagrams);
      const closed = make();
      closed.close();
      for (const sender of [refused, closed, make(false)]) expect(sender.sendTogether(group, 2, note)).to.equal(false);
    });
  });

  it("is for Node.js alone where the native sender is not there", () => {
    const sender = make(false);
    sender.send(datagrams, note);
    expect(sender.sendFramed(Buffer.alloc(9))).to.equal(0);
    expect([socket.sent, outcomes]).to.deep.equal([["a", "b", "c"], [null]]);
  });

  it("touches no descriptor once it is closed", () => {
    for (const end of [(sender: DatagramSender) => sender.close(), () => socket.emit("close")]) {
      const sender = make();
      end(sender);
      sender.send(datagrams, note);
      expect(sender.sendFramed(Buffer.alloc(9))).to.equal(0);
    }
    expect([asked, socket.sent, outcomes]).to.deep.equal([[], [], []]);
  });
});
