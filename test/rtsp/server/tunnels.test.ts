import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect } from "chai";
import { groupOf, Stage } from "./stage.ts";
import { getOf, postOf } from "./tunnelled.ts";

const OPTIONS = "OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n";

/** One connection by itself, and all that comes on it. */
class Wire {
  readonly socket: Socket;
  text = "";
  closed = false;
  readonly #waiting = new Set<() => void>();

  constructor(port: number, ...sent: readonly string[]) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("error", () => undefined);
    const wake = (): void => {
      for (const done of this.#waiting) done();
    };
    this.socket.on("data", (chunk: Buffer) => {
      this.text += chunk.toString("latin1");
      wake();
    });
    this.socket.on("close", () => {
      this.closed = true;
      wake();
    });
    for (const text of sent) this.socket.write(text);
  }

  async until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  shows(words: string): Promise<void> {
    return this.until(() => this.text.includes(words));
  }

  base64(text: string): void {
    this.socket.write(Buffer.from(text).toString("base64"));
  }
}

describe("RTSP in HTTP", () => {
  let stage: Stage;
  let wires: Wire[];
  const wire = (...sent: readonly string[]): Wire => {
    const one = new Wire(stage.httpPort, ...sent);
    wires.push(one);
    return one;
  };

  beforeEach(async () => {
    wires = [];
    stage = new Stage();
    await stage.start();
  });
  afterEach(async () => {
    for (const { socket } of wires) socket.destroy();
    await stage.close();
    expect(stage.clock.pending, "timers").to.equal(0);
  });

  it("answers the GET as QuickTime does, at any path, and takes what comes in base64", async () => {
    const get = wire(getOf("one", "/any/path?x"));
    await get.shows("\r\n\r\n");
    expect(get.text)
      .to.match(/^HTTP\/1\.0 200 OK\r\n/)
      .and.to.include("Content-Type: application/x-rtsp-tunnelled\r\n");
    wire(postOf("one", "/another")).base64(OPTIONS);
    await get.shows("CSeq: 7");
  });

  it("takes a POST that is there before its GET", async () => {
    wire(postOf("one")).base64(OPTIONS);
    await wire(getOf("one")).shows("CSeq: 7");
  });

  it("takes a head and base64 however they are cut", async () => {
    const get = wire(getOf("one"));
    await get.shows("\r\n\r\n");
    const post = wire();
    for (const character of postOf("one") + Buffer.from(OPTIONS).toString("base64")) {
      post.socket.write(character);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await get.shows("CSeq: 7");
  });

  it("takes a new POST for each request, and more in one than its Content-Length says", async () => {
    const get = wire(getOf("one"));
    await get.shows("\r\n\r\n");
    const first = wire(postOf("one"));
    first.base64(OPTIONS);
    await get.shows("CSeq: 7");
    const second = wire(postOf("one"));
    await first.until(() => first.closed);
    let sent = 0;
    for (let sequence = 100; sent < 100_000; sequence += 1) {
      const request = `OPTIONS * RTSP/1.0\r\nCSeq: ${sequence}\r\nPadding: ${"x".repeat(7000)}\r\n\r\n`;
      second.base64(request);
      sent += request.length;
      await get.shows(`CSeq: ${sequence}`);
    }
  });

  it("ends with its GET", async () => {
    const [get, post] = [wire(getOf("one")), wire(postOf("one"))];
    post.base64(OPTIONS);
    await get.shows("CSeq: 7");
    get.socket.destroy();
    await post.until(() => post.closed);
  });

  it("hangs up on what is no base64", async () => {
    const get = wire(getOf("one"));
    await get.shows("\r\n\r\n");
    wire(postOf("one"), OPTIONS);
    await get.until(() => get.closed);
  });

  it("lets nobody speak in the tunnel of another: cookies that differ, and a cookie twice", async () => {
    const get = wire(getOf("one"));
    await get.shows("\r\n\r\n");
    const again = wire(getOf("one"));
    await again.until(() => again.closed);
    expect(again.text).to.match(/^HTTP\/1\.0 400 /);
    wire(postOf("two")).base64(OPTIONS);
    wire(postOf("one")).base64(OPTIONS.replace("7", "8"));
    await get.shows("CSeq: 8");
    expect(get.text).not.to.include("CSeq: 7");
  });

  for (const [what, cookie] of [
    ["no cookie", ""],
    ["an endless cookie", "x".repeat(129)],
  ] as const)
    it(`refuses a tunnel with ${what}`, async () => {
      for (const head of [getOf(cookie), postOf(cookie)]) {
        const one = wire(head);
        await one.until(() => one.closed);
        expect(one.text).to.match(/^HTTP\/1\.0 400 /);
      }
    });

  it("hangs up on halves after ten seconds, and on who does not end its head", async () => {
    const get = wire(getOf("one"));
    await get.shows("\r\n\r\n");
    const post = wire(postOf("two"));
    const slow = wire("GET / HTTP/1.1\r\nAccept: ");
    // Each of them must have been seen before time goes on.
    const later = wire("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await later.shows("HTTP");
    await stage.clock.advance(5000);
    await slow.until(() => slow.closed);
    expect([get.closed, post.closed]).to.deep.equal([false, false]);
    await stage.clock.advance(6000);
    await get.until(() => get.closed);
    await post.until(() => post.closed);
  });

  it("serves an honest client, by RTSP and by HTTP, among thousands of halves", async () => {
    const flood = Array.from({ length: 1500 }, (_, index) => wire(index % 2 ? getOf(`${index}`) : postOf(`${index}`)));
    await Promise.all(flood.filter(({ socket }) => socket.connecting).map(({ socket }) => once(socket, "connect")));
    stage.hub.publish(groupOf(10));
    for (const carrier of ["TCP", "HTTP"] as const) {
      const honest = await stage.client(carrier);
      expect((await honest.play("/live/gate")).status).to.equal(200);
      await honest.until(() => honest.numbers().includes(10));
      honest.socket.destroy();
    }
    await wire("GET / HTTP/1.1\r\nHost: x\r\n\r\n").shows("HTTP");
    while (flood.filter(({ closed }) => closed).length < 1200) await new Promise((resolve) => setImmediate(resolve));
  });

  it("holds one POST of a tunnel, however many come", async () => {
    const get = wire(getOf("one"));
    await get.shows("\r\n\r\n");
    const flood = Array.from({ length: 300 }, () => wire(postOf("one")));
    await Promise.all(flood.filter(({ socket }) => socket.connecting).map(({ socket }) => once(socket, "connect")));
    while (flood.filter(({ closed }) => !closed).length > 1) await new Promise((resolve) => setImmediate(resolve));
    flood.find(({ closed }) => !closed)?.base64(OPTIONS);
    await get.shows("CSeq: 7");
  });

  it("forgets a POST that makes way for another one", async () => {
    const get = wire(getOf("one"));
    await get.shows("\r\n\r\n");
    for (let count = 0, before = wire(postOf("two")); count < 250; count += 1) {
      const next = wire(postOf("two"));
      await before.until(() => before.closed);
      before = next;
    }
    wire(postOf("one")).base64(OPTIONS);
    await get.until(() => get.closed || get.text.includes("CSeq: 7"));
    expect(get.closed, "hung up on among halves that are gone").to.equal(false);
  });

  it("leaves all other HTTP to HTTP, cut anywhere", async () => {
    const one = wire();
    for (const character of "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") {
      one.socket.write(character);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await one.shows("HTTP/1.1 200 OK");
    one.text = "";
    one.socket.write("GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
    await one.shows("HTTP/1.1 200 OK");
    const post = wire("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
    post.socket.write("cde");
    await post.shows("HTTP/1.1 200 OK");
    const garbage = wire("\x16\x03\x01 not for here");
    await garbage.until(() => garbage.closed);
    expect(garbage.text).to.match(/^HTTP\/1\.1 400 /);
  });
});
