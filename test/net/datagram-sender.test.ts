import type { Socket } from "node:dgram";
import { EventEmitter } from "node:events";
import { constants } from "node:os";
import { expect } from "chai";
import { DatagramSender } from "../../net/datagram-sender.ts";
import type { NativeSender } from "../../net/native.ts";

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
      sendFramedAll(fds, framed, segment, taken) {
        for (const [index, fd] of fds.entries())
          taken[index] = answer(`${framed.length} framed bytes to ${fd}${segment ? " in runs" : ""}`);
      },
    };
    const adopted = native ? { native: sender as NativeSender, fd: 5 } : undefined;
    return new DatagramSender(socket as unknown as Socket, adopted);
  };
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

  describe("for many sockets", () => {
    it("is one call of any of them", () => {
      answers = [2, 1, -EAGAIN];
      const taken = new Int32Array(3);
      make().sendToAll(Int32Array.of(5, 6, 7), Buffer.alloc(9), taken);
      expect([...taken]).to.deep.equal([2, 1, -EAGAIN]);
      expect(asked).to.deep.equal([5, 6, 7].map((fd) => `9 framed bytes to ${fd} in runs`));
    });

    it("is to be had where runs are not refused, until it is closed", () => {
      expect(make().descriptor).to.equal(5);
      const refused = make();
      answers = [-EIO, 3];
      refused.send(datagrams);
      const closed = make();
      closed.close();
      const gone = make();
      socket.emit("close");
      for (const sender of [refused, closed, gone, make(false)]) expect(sender.descriptor).to.equal(undefined);
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
