import { once } from "node:events";
import { Agent, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { asFault, isFault } from "../../base/fault.ts";
import { createHttpServer, type HttpHandler, peerOf, readBody } from "../../net/http.ts";
import { type HttpAnswer, type HttpRequest, httpRequest } from "../../net/http-request.ts";
import { cameraSide } from "../../net/sides.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const side = cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] });

async function portOf(
  server: { listen(port: number, host: string): unknown; address(): unknown } & NodeJS.EventEmitter,
): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function kindOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    return asFault(error).kind;
  }
}

function socketTo(port: number): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  return socket;
}

/** All that comes until the other side closes. */
async function everything(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  // Not events.once: it rejects when the other side breaks off, which is one of its ways to close.
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.concat(chunks).toString();
}

/** Reads the body, and answers with its length or with the kind of Fault. */
const measuring = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
  try {
    const body = await readBody(incoming, 64 * 1024);
    response.end(`${body.length}`);
  } catch (error) {
    response.writeHead(isFault(error, "invalid") ? 413 : 500);
    response.end(asFault(error).tell);
  }
};

const ok = (headers: string, body: string): string => `HTTP/1.1 200 OK\r\n${headers}\r\n\r\n${body}`;

describe("the HTTP server", () => {
  let server: Server;
  let port: number;
  const start = async (handler: HttpHandler, maxConnections = 100): Promise<void> => {
    server = createHttpServer(handler, { maxConnections });
    port = await portOf(server);
  };
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  function post(headers: Record<string, string>, write: (out: NodeJS.WritableStream) => void): Promise<string> {
    return new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port, method: "POST", headers, agent: false }, (response) => {
        let text = `${response.statusCode} `;
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve(text));
      });
      sent.on("error", reject);
      write(sent);
    });
  }

  it("reads bodies up to their limit", async () => {
    await start(measuring);
    expect(await post({}, (out) => out.end(Buffer.alloc(64 * 1024)))).to.equal("200 65536");
    expect(await post({}, (out) => out.end())).to.equal("200 0");
    expect(await post({ "Content-Encoding": "identity" }, (out) => out.end("x"))).to.equal("200 1");
  });
  it("refuses a long body by its length, and by what comes", async () => {
    await start(measuring);
    expect(await post({ "Content-Length": "65537" }, (out) => out.end(Buffer.alloc(65_537)))).to.equal(
      "413 body too large",
    );
    expect(await post({ "Transfer-Encoding": "chunked" }, (out) => out.end(Buffer.alloc(70_000)))).to.equal(
      "413 body too large",
    );
  });
  it("refuses compressed bodies without looking into them", async () => {
    await start(measuring);
    for (const coding of ["gzip", "deflate", "br", "identity, gzip", "GZIP"])
      expect(await post({ "Content-Encoding": coding }, (out) => out.end("\x1f\x8bbroken"))).to.equal(
        "413 Content-Encoding is not supported",
      );
  });
  it("reads only the beginning of 100 MB", async () => {
    let incoming: Socket | undefined;
    await start((request, response) => {
      incoming = request.socket;
      return measuring(request, response);
    });
    const socket = socketTo(port);
    socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n");
    const piece = Buffer.alloc(1 << 20);
    let sent = 0;
    const feed = (): void => {
      while (sent < 100 && !socket.destroyed) {
        sent += 1;
        if (!socket.write(piece)) {
          socket.once("drain", feed);
          return;
        }
      }
    };
    feed();
    expect(await everything(socket)).to.satisfy((text: string) => text === "" || text.includes(" 413 "));
    expect(incoming?.bytesRead).to.be.below(2 << 20);
  });
  it("tells a body that broke off", async () => {
    const kinds: Promise<string>[] = [];
    const got = new Promise<void>((resolve) => {
      void start((request) => {
        kinds.push(kindOf(readBody(request, 100)));
        resolve();
      }).then(() => socketTo(port).end("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"));
    });
    await got;
    expect(await Promise.all(kinds)).to.deep.equal(["invalid"]);
  });
  it("answers garbage with 400, and others as before", async () => {
    await start((_, response) => response.end("fine"));
    for (const garbage of [
      "\0\x01\x02\r\n\r\n",
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01",
      `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
    ]) {
      const socket = socketTo(port);
      socket.write(garbage);
      expect(await everything(socket)).to.match(/^HTTP\/1\.1 400 /);
    }
    expect(await post({}, (out) => out.end())).to.equal("200 fine");
  });
  it("closes the connection when its handler fails", async () => {
    await start(async () => {
      throw new Error("a bug");
    });
    const socket = socketTo(port);
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await everything(socket)).to.equal("");
  });
  it("gives one address half of its connections, and the rest to others", async () => {
    await start((_, response) => response.end("fine"), 10);
    const half = Array.from({ length: 40 }, () => socketTo(port));
    let closed = 0;
    const done = Promise.all(half.slice(0, 35).map(() => Promise.resolve()));
    await done;
    await new Promise<void>((resolve) => {
      for (const socket of half)
        socket.once("close", () => {
          closed += 1;
          if (closed === 35) resolve();
        });
    });
    expect(half.filter((socket) => !socket.closed)).to.have.length(5);
    const other = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.2" });
    other.on("error", () => undefined);
    other.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    expect(await everything(other)).to.include("fine");
    for (const socket of half) socket.destroy();
  });
  it("cuts those that never end their head", async () => {
    await start((_, response) => response.end("fine"));
    const slow = Array.from({ length: 20 }, () => socketTo(port));
    for (const socket of slow) socket.write("GET / HTTP/1.1\r\nHost: x\r\nX-A: ");
    const answers = await Promise.all(slow.map(everything));
    expect(new Set(answers.map((text) => text.slice(0, 12)))).to.deep.equal(new Set(["HTTP/1.1 400"]));
  });
  it("names the client in one spelling", async () => {
    const seen: unknown[] = [];
    server = createHttpServer(
      (request, response) => {
        seen.push(peerOf(request.socket));
        response.end();
      },
      { maxConnections: 5 },
    );
    server.listen(0, "::");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
    await post({}, (out) => out.end());
    expect(seen[0]).to.include({ address: "127.0.0.1", tls: false });
  });
  it("keeps connections for the next request", async () => {
    await start((_, response) => response.end("fine"));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let n = 0; n < 3; n += 1) {
      const sent = request({ port, agent });
      sent.end();
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      ports.add(response.socket.localPort);
      response.resume();
      await once(response, "end");
    }
    agent.destroy();
    expect(ports.size).to.equal(1);
  });
});

describe("a request to a camera", () => {
  let camera: ReturnType<typeof createServer>;
  let heard: string;
  let sockets: Socket[];
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    camera.close();
  });
  /** A camera that answers every request with `answer` and leaves the connection open. */
  async function ask(answer: string | Buffer, more: Partial<HttpRequest> = {}): Promise<HttpAnswer> {
    heard = "";
    sockets = [];
    camera = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
      socket.on("data", (chunk: Buffer) => {
        if (heard === "") socket.write(answer);
        heard += chunk.toString();
      });
    });
    const url = new URL(`http://admin:pass@127.0.0.1:${await portOf(camera)}/onvif/device_service?a=1`);
    return httpRequest({
      url,
      method: "POST",
      headers: {},
      maxBytes: 1000,
      timeoutMs: 5000,
      side,
      clock: systemClock,
      ...more,
    });
  }

  it("sends what is asked, without user information, and reads the answer", async () => {
    const response = await ask(ok("Content-Length: 2\r\nWWW-Authenticate: A\r\nX-Y: z", "hi"), {
      body: "<soap/>",
      headers: { "Content-Type": "text/xml" },
    });
    expect([response.status, response.body.toString(), response.headers["x-y"]]).to.deep.equal([200, "hi", "z"]);
    expect(heard).to.match(/^POST \/onvif\/device_service\?a=1 HTTP\/1\.1\r\n/);
    expect(heard)
      .to.match(/Host: 127\.0\.0\.1:\d+\r\n/)
      .and.to.include("Content-Length: 7\r\n")
      .and.to.match(/\r\n\r\n<soap\/>$/);
    expect(heard).not.to.include("pass");
  });
  it("does not follow redirects", async () => {
    const response = await ask("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    expect([response.status, response.headers.location]).to.deep.equal([302, "http://127.0.0.1:1/"]);
  });

  const answers: readonly (readonly [string, string | Buffer, string])[] = [
    ["too long, as it says", ok("Content-Length: 1001", "x"), "invalid"],
    ["too long, as it comes", ok("Connection: close", "x".repeat(1001)), "invalid"],
    ["compressed", ok("Content-Length: 2\r\nContent-Encoding: gzip", "hi"), "invalid"],
    ["not HTTP", "SIP/2.0 200 OK\r\n\r\n", "invalid"],
    ["binary", Buffer.from([0, 1, 2, 3, 13, 10, 13, 10]), "invalid"],
    ["with a head that does not end", ok(`X: ${"x".repeat(20_000)}`, ""), "invalid"],
    ["with two lengths", ok("Content-Length: 1\r\nContent-Length: 2", "x"), "invalid"],
    ["an upgrade", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "unavailable"],
  ];
  for (const [name, answer, kind] of answers)
    it(`fails when the answer is ${name}`, async () => expect(await kindOf(ask(answer))).to.equal(kind));

  it("fails at its deadline when the answer never ends, and leaves no timer", async () => {
    const clock = new VirtualClock();
    const asked = kindOf(ask(ok("Content-Length: 10", "hi"), { clock }));
    while (!heard.includes("POST") || clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(5000);
    expect(await asked).to.equal("unavailable");
    expect(clock.pending).to.equal(0);
  });
  it("is called off by its signal", async () => {
    const stop = new AbortController();
    const asked = kindOf(ask(ok("Content-Length: 10", "hi"), { signal: stop.signal }));
    while (!heard.includes("POST")) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect(await asked).to.equal("unavailable");
  });
  it("goes nowhere that the camera side forbids, nor over other protocols", async () => {
    const nowhere = cameraSide({ interfaces: [], clientAddresses: [] });
    expect(await kindOf(ask("", { side: nowhere }))).to.equal("denied");
    camera.close();
    expect(await kindOf(ask("", { url: new URL("ftp://127.0.0.1/") }))).to.equal("invalid");
    camera.close();
    expect(await kindOf(ask("", { url: new URL("http://localhost/") }))).to.equal("denied");
    expect(heard).to.equal("");
  });
});
