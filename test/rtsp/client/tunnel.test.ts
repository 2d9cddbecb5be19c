import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { expect } from "chai";
import { asFault, type Fault } from "../../../base/fault.ts";
import { silentLog } from "../../../base/log.ts";
import { Secret } from "../../../base/secret.ts";
import { cameraSide } from "../../../net/sides.ts";
import { type PullOptions, pull } from "../../../rtsp/client/session.ts";
import type { UpstreamTransport } from "../../../rtsp/wire/transport.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { answer, FakeCamera, framed, type Script } from "./fake-camera.ts";

const side = cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] });

/** The HTTP port of a camera: whatever is posted goes to its RTSP port, and what that answers behind the answer to the GET. */
class HttpPort {
  readonly heads: string[] = [];
  readonly sockets: Socket[] = [];
  readonly #server: Server;
  readonly #down = new Map<string, Socket>();

  private constructor(camera: FakeCamera, answerTo: (head: string) => string) {
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on("error", () => undefined);
      socket.once("data", (first: Buffer) => {
        const end = first.indexOf("\r\n\r\n");
        const head = first.toString("latin1", 0, end);
        this.heads.push(head);
        const cookie = /^x-sessioncookie: (\S+)$/m.exec(head)?.[1] ?? "";
        if (head.startsWith("GET")) {
          this.#down.set(cookie, socket);
          socket.write(answerTo(head));
          return;
        }
        const rtsp = connect(camera.port, "127.0.0.1");
        rtsp.on("error", () => undefined);
        rtsp.on("data", (bytes: Buffer) => this.#down.get(cookie)?.write(bytes));
        rtsp.on("close", () => this.#down.get(cookie)?.destroy());
        socket.on("close", () => rtsp.destroy());
        const post = (bytes: Buffer): void => void rtsp.write(Buffer.from(bytes.toString("latin1"), "base64"));
        post(first.subarray(end + 4));
        socket.on("data", post);
      });
    });
  }

  static async start(camera: FakeCamera, answerTo = (_head: string) => OK): Promise<HttpPort> {
    const port = new HttpPort(camera, answerTo);
    port.#server.listen(0, "127.0.0.1");
    await once(port.#server, "listening");
    return port;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }
}

const REFUSED = 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm="c", nonce="n"\r\n\r\n';
const OK = "HTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\n";

describe("an upstream session in HTTP", () => {
  let camera: FakeCamera;
  let http: HttpPort;
  /** At the port of the RTSP address, where that is not the camera itself. */
  let own: HttpPort | undefined;
  let clock: VirtualClock;
  let stop: AbortController;
  let packets: Buffer[];
  let flowing: UpstreamTransport[];
  let refused: UpstreamTransport[];
  let pulling: Promise<Fault | undefined>;

  const start = async (o: {
    readonly script?: Script;
    readonly answerTo?: (head: string) => string;
    readonly ownAnswerTo?: (head: string) => string;
    readonly more?: Partial<PullOptions>;
  }): Promise<void> => {
    camera = await FakeCamera.start(o.script);
    http = await HttpPort.start(camera, o.answerTo);
    own = o.ownAnswerTo && (await HttpPort.start(camera, o.ownAnswerTo));
    clock = new VirtualClock();
    stop = new AbortController();
    [packets, flowing, refused] = [[], [], []];
    pulling = pull({
      url: own === undefined ? camera.url : new URL(`rtsp://127.0.0.1:${own.port}/stream`),
      side,
      clock,
      log: silentLog(),
      signal: stop.signal,
      tunnelAt: { port: http.port, secure: false },
      transports: ["http"],
      events: {
        described: () => undefined,
        refused: (transport) => refused.push(transport),
        flows: (transport) => flowing.push(transport),
        rtp: (_track, packet) => packets.push(Buffer.from(packet)),
        rtcp: () => undefined,
      },
      ...o.more,
    }).then(() => undefined, asFault);
  };
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) await new Promise((resolve) => setImmediate(resolve));
  };
  const flows = async (): Promise<void> => {
    await until(() => camera.methods.includes("PLAY"));
    camera.send(framed(0, Buffer.from("8060000100000000000000070505", "hex")));
    await until(() => packets.length > 0);
  };

  afterEach(async () => {
    stop.abort();
    await pulling;
    http.close();
    own?.close();
    await camera.close();
    expect(clock.pending, "timers that were left").to.equal(0);
  });

  it("asks in base64, is answered behind the GET, and says goodbye", async () => {
    await start({});
    await flows();
    expect(flowing).to.deep.equal(["http"]);
    const [get = "", post = ""] = http.heads;
    expect(get)
      .to.match(/^GET \/stream HTTP\/1\.0\r\n/)
      .and.match(/^Accept: application\/x-rtsp-tunnelled$/m);
    expect(post).to.match(/^POST \/stream HTTP\/1\.0\r\n/);
    const cookies = http.heads.map((head) => /^x-sessioncookie: ([0-9a-f]{32})$/m.exec(head)?.[1]);
    expect(cookies[0]).to.equal(cookies[1]).and.not.equal(undefined);
    stop.abort();
    expect(await pulling).to.equal(undefined);
    expect(camera.methods.at(-1)).to.equal("TEARDOWN");
    await until(() => http.sockets.every((socket) => socket.destroyed || socket.readableEnded));
  });

  it("logs in to HTTP too where the camera wants that", async () => {
    await start({
      answerTo: (head) => (head.includes("Authorization: Digest") ? OK : REFUSED),
      more: { credentials: { user: "admin", password: new Secret("secret") } },
    });
    await flows();
    expect(http.heads.map((head) => head.includes("Authorization: Digest"))).to.deep.equal([false, true, true]);
    expect(http.heads.join("\n")).not.to.include("secret");
  });

  it("gives up after one refused log-in, for cameras lock accounts", async () => {
    await start({
      answerTo: () => REFUSED,
      more: { credentials: { user: "admin", password: new Secret("wrong") } },
    });
    // At its own port for RTSP nobody speaks HTTP.
    await until(() => camera.connections > 0);
    camera.hangUp();
    expect((await pulling)?.kind).to.equal("unauthenticated");
    expect(http.heads).to.have.length(2);
  });

  it("is tried last, where the camera refuses everything else", async () => {
    await start({
      script: {
        SETUP: (one) =>
          one.connection < 2
            ? answer(one, [], "", "461 Unsupported Transport")
            : answer(one, [`Transport: ${one.header("transport")}`, "Session: 1"]),
      },
      more: { transports: ["tcp", "udp", "http"] },
    });
    await flows();
    expect(refused).to.deep.equal(["tcp", "udp"]);
    expect(flowing).to.deep.equal(["http"]);
  });

  it("is tried where the camera serves HTTP when nobody answers at the port of RTSP", async () => {
    const silent = await HttpPort.start(camera);
    const url = new URL(`rtsp://127.0.0.1:${silent.port}/stream`);
    silent.close();
    await start({ more: { transports: ["tcp", "udp", "http"], url } });
    await flows();
    expect(flowing).to.deep.equal(["http"]);
  });

  const others: readonly (readonly [what: string, answered: string])[] = [
    ["answers with a page there", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"],
    ["refuses the log-in there", REFUSED],
  ];
  for (const [what, answered] of others)
    it(`is found at the port of RTSP where the camera serves HTTP, too, and ${what}`, async () => {
      await start({ answerTo: () => answered, ownAnswerTo: () => OK });
      await flows();
      expect(http.heads.every((head) => head.startsWith("GET"))).to.equal(true);
    });

  it("is taken where the camera does not say what it answers with", async () => {
    await start({ answerTo: () => "HTTP/1.0 200 OK\r\n\r\n" });
    await flows();
  });

  it("is called off while the camera does not answer", async () => {
    await start({ answerTo: () => "" });
    await until(() => http.heads.length > 0);
    stop.abort();
    expect(await pulling).to.equal(undefined);
    await until(() => http.sockets.every((socket) => socket.destroyed || socket.readableEnded));
  });

  const strange: readonly (readonly [what: string, answered: string])[] = [
    ["has no tunnel", "HTTP/1.1 404 Not Found\r\n\r\n"],
    ["does not speak HTTP", "RTSP/1.0 400 Bad Request\r\n\r\n"],
    ["begins an answer without end", "HTTP/1.1 200 OK\r\nX: ".padEnd(20_000, "x")],
  ];
  for (const [what, answered] of strange)
    it(`is refused in words where the camera ${what}`, async () => {
      await start({ answerTo: () => answered });
      // At its own port for RTSP nobody speaks HTTP either.
      await until(() => http.heads.length > 0);
      camera.hangUp();
      await until(() => camera.connections > 0);
      camera.hangUp();
      const fault = await pulling;
      expect(fault?.kind).to.equal("unavailable");
      expect(fault?.tell).to.match(/^the camera does not send over HTTP: /);
      expect(camera.methods).not.to.include("OPTIONS");
    });
});
