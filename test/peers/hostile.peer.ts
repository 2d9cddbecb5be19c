import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { expect } from "chai";
import type { SimCamera } from "../../sim/camera-options.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { expectConsecutive, watchFrames } from "../support/frames.ts";
import { peer } from "../support/peer.ts";

const MEGABYTE = 1024 * 1024;

/** POSTs to the device service over plain HTTP and gives the status, or "closed" where the bridge hung up. */
function post(
  port: number,
  headers: Readonly<Record<string, string>>,
  chunks: Iterable<Buffer | string>,
): Promise<number | "closed"> {
  return new Promise((resolve) => {
    const sent = request(
      { host: "127.0.0.1", port, path: "/onvif/device_service", method: "POST", headers },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
        sent.destroy();
      },
    );
    sent.on("error", () => resolve("closed"));
    for (const chunk of chunks) sent.write(chunk);
    sent.end();
  });
}

const SOAP = { "content-type": "application/soap+xml; charset=utf-8" };
const envelope = (body: string): string =>
  `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>${body}</s:Body></s:Envelope>`;

describe("a bridge among hostile clients", () => {
  let t: TestBridge;
  let camera: SimCamera;
  let id: string;
  let login: Login;
  let http: number;
  let rtsp: number;

  before(async () => {
    t = await startTestBridge();
    camera = await t.camera();
    id = await t.adopt(camera);
    login = await t.account();
    const { doors } = t.bridge.parts.addresses();
    http = doors.http ?? 0;
    rtsp = doors.rtsp ?? 0;
  });
  after(() => t.close());

  /** What an honest player sees while `attack` runs: every frame, once, in order. */
  const unharmed = async (context: Mocha.Context, attack: () => Promise<void>): Promise<void> => {
    const watching = watchFrames(peer(context, "ffmpeg"), t.rtsp(login, `live/${id}`), ["-frames:v", "75"]);
    await attack();
    expectConsecutive(await watching, 75);
  };

  it("serves the others while 300 connections stay half open at each door", async function () {
    const sockets: Socket[] = [];
    await unharmed(this, async () => {
      for (const port of [http, rtsp])
        for (let count = 0; count < 300; count += 1) {
          const socket = connect(port, "127.0.0.1");
          socket.on("error", () => undefined);
          socket.write(count % 2 === 0 ? "" : "DESCRIBE rtsp://127.0.0.1/live/x RTSP/1.0\r\nCSeq: 1\r\n");
          sockets.push(socket);
        }
      const connecting = sockets.filter((socket) => socket.connecting);
      await Promise.all(connecting.map((socket) => once(socket, "connect").catch(() => undefined)));
    });
    for (const socket of sockets) socket.destroy();
  });

  it("serves the others while a client never reads", async function () {
    const before = process.memoryUsage().rss;
    const deaf: Socket[] = [];
    await unharmed(this, async () => {
      for (let count = 0; count < 20; count += 1) deaf.push(await neverReading(rtsp, login, id));
    });
    expect(process.memoryUsage().rss - before).to.be.below(150 * MEGABYTE);
    for (const socket of deaf) socket.destroy();
  });

  it("serves the others while halves of tunnels, POSTs without end and WebSockets of RTSP pile up", async function () {
    const before = process.memoryUsage().rss;
    const type = "application/x-rtsp-tunnelled";
    const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";
    const heads: readonly ((count: number) => string)[] = [
      (count) => `GET / HTTP/1.0\r\nAccept: ${type}\r\nx-sessioncookie: get-${count}\r\n\r\n`,
      (count) => `POST / HTTP/1.0\r\nContent-Type: ${type}\r\nx-sessioncookie: post-${count}\r\n\r\nT1BU`,
      () => `POST / HTTP/1.0\r\nContent-Type: ${type}\r\nx-sessioncookie: one\r\n\r\n${"T1BU".repeat(1000)}`,
      () =>
        `GET /onvif/rtsp HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\nSec-WebSocket-Protocol: rtsp.onvif.org\r\n\r\n`,
    ];
    const sockets: Socket[] = [];
    await unharmed(this, async () => {
      for (let count = 0; count < 2000; count += 1) {
        const socket = connect(http, "127.0.0.1");
        socket.on("error", () => undefined);
        socket.write(heads[count % heads.length]?.(count) ?? "");
        sockets.push(socket);
        // So many at a time as the system lets wait.
        if (count % 100 === 99) await once(socket, "connect").catch(() => undefined);
      }
    });
    for (const way of ["http", "udp"] as const) {
      const url = t.rtsp(login, `live/${id}`).replace(`:${rtsp}/`, way === "http" ? `:${http}/` : `:${rtsp}/`);
      expectConsecutive(await watchFrames(peer(this, "ffmpeg"), url, ["-frames:v", "20"], way), 20);
    }
    for (const socket of sockets) socket.destroy();
    expect(process.memoryUsage().rss - before).to.be.below(200 * MEGABYTE);
  });

  const attacks: readonly (readonly [
    what: string,
    headers: Readonly<Record<string, string>>,
    chunks: () => Iterable<Buffer | string>,
  ])[] = [
    ["a SOAP body of 100 MB", SOAP, () => Array.from({ length: 100 }, () => Buffer.alloc(MEGABYTE, 0x20))],
    ["a broken gzip body", { ...SOAP, "content-encoding": "gzip" }, () => [Buffer.from("1f8b0800deadbeef", "hex")]],
    ["an entity bomb", SOAP, () => [`<!DOCTYPE x [<!ENTITY a "${"a".repeat(1000)}">]>${envelope("&a;".repeat(1000))}`]],
    ["deep nesting", SOAP, () => [envelope(`${"<a>".repeat(50_000)}${"</a>".repeat(50_000)}`)]],
    ["many elements", SOAP, () => [envelope("<a/>".repeat(200_000))]],
    [
      "many attributes",
      SOAP,
      () => [envelope(`<a ${Array.from({ length: 20_000 }, (_, index) => `b${index}=""`).join(" ")}/>`)],
    ],
    [
      "many namespaces",
      SOAP,
      () => [envelope(`<a ${Array.from({ length: 5000 }, (_, index) => `xmlns:b${index}="c"`).join(" ")}/>`)],
    ],
    ["the names of prototypes", SOAP, () => [envelope('<__proto__ id="__proto__"/>')]],
    ["no XML at all", SOAP, () => [Buffer.alloc(4096, 0xff)]],
  ];
  it("answers or hangs up on every hostile body, and the others do not notice", async function () {
    const before = process.memoryUsage().rss;
    await unharmed(this, async () => {
      for (const [what, headers, chunks] of attacks) {
        const status = await post(http, headers, chunks());
        expect(status, what).to.satisfy((seen: number | "closed") => seen === "closed" || (seen >= 400 && seen < 500));
      }
    });
    expect(process.memoryUsage().rss - before).to.be.below(200 * MEGABYTE);
    expect(({} as Record<string, unknown>)["obj"]).to.equal(undefined);
  });
});

describe("a bridge and a camera that fails", () => {
  let t: TestBridge;
  let camera: SimCamera;
  let id: string;
  let login: Login;

  before(async () => {
    t = await startTestBridge();
    camera = await t.camera();
    id = await t.adopt(camera);
    login = await t.account();
  });
  after(() => t.close());

  const connection = (): string | undefined => t.cameras(login)[0]?.info.connection.state;

  it("says that it is offline, comes back by itself, and a player's session outlives it", async function () {
    const ffmpeg = peer(this, "ffmpeg");
    // However long the camera is away: so many pictures are not there before.
    const watching = watchFrames(ffmpeg, t.rtsp(login, `live/${id}`), ["-frames:v", "150"]);
    await eventually(() => camera.sessions > 0 && t.bridge.parts.rtspSessions(login.name) > 0);
    await camera.pause();
    await eventually(() => connection() === "offline");
    await camera.resume();
    await eventually(() => connection() === "online");
    const numbers = await watching;
    expect(numbers).to.have.length(150);
    expect([...numbers].sort((a, b) => a - b)).to.deep.equal([...new Set(numbers)]);
  });

  it("reconnects when the camera sends garbage", async () => {
    const before = camera.connections;
    camera.sendGarbage();
    await eventually(() => camera.connections > before && connection() === "online");
  });

  it("goes on when the camera changes its resolution", async function () {
    const ffprobe = peer(this, "ffprobe");
    camera.setResolution(320, 192);
    await eventually(async () => {
      const { stdout } = await ffprobe.run([
        "-v",
        "error",
        "-rtsp_transport",
        "tcp",
        "-show_entries",
        "stream=width,height",
        "-of",
        "csv=p=0",
        t.rtsp(login, `live/${id}`),
      ]);
      return stdout.toString().includes("320,192");
    });
  });

  it("adopts a camera that names another host, and dials the camera", async function () {
    const liar = await t.camera({ name: "Liar", quirks: ["wrong-host-uri"] });
    const other = await t.adopt(liar);
    expectConsecutive(await watchFrames(peer(this, "ffmpeg"), t.rtsp(login, `live/${other}`), ["-frames:v", "20"]), 20);
  });
});

/** A client that plays and then leaves everything in its socket. */
async function neverReading(port: number, login: Login, id: string): Promise<Socket> {
  const { createHash } = await import("node:crypto");
  const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  const uri = `rtsp://127.0.0.1:${port}/live/${id}`;
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  const ask = async (head: string, headers = ""): Promise<string> => {
    text = "";
    socket.write(`${head} RTSP/1.0\r\nCSeq: 1\r\n${headers}\r\n`);
    while (!text.includes("\r\n\r\n")) await once(socket, "data");
    return text;
  };
  const challenge = await ask(`DESCRIBE ${uri}`);
  const line =
    challenge.split("\r\n").find((one) => /^WWW-Authenticate: Digest/i.test(one) && /algorithm=MD5/i.test(one)) ?? "";
  const [, realm = ""] = /realm="([^"]*)"/.exec(line) ?? [];
  const [, nonce = ""] = /nonce="([^"]*)"/.exec(line) ?? [];
  const authorization = (method: string, target: string): string => {
    const response = md5(`${md5(`${login.name}:${realm}:${login.secret}`)}:${nonce}:${md5(`${method}:${target}`)}`);
    return `Authorization: Digest username="${login.name}", realm="${realm}", nonce="${nonce}", uri="${target}", response="${response}"\r\n`;
  };
  const described = await ask(`DESCRIBE ${uri}`, authorization("DESCRIBE", uri));
  while (!text.includes("a=control:")) await once(socket, "data");
  const base = /Content-Base: (\S+)/i.exec(described)?.[1] ?? `${uri}/`;
  const control = /m=video[\s\S]*?a=control:(\S+)/.exec(text)?.[1] ?? "";
  const track = new URL(control, base).href;
  const set = await ask(
    `SETUP ${track}`,
    `Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n${authorization("SETUP", track)}`,
  );
  const session = /Session: ([^;\r]+)/i.exec(set)?.[1] ?? "";
  socket.pause();
  socket.write(`PLAY ${uri} RTSP/1.0\r\nCSeq: 2\r\nSession: ${session}\r\n${authorization("PLAY", uri)}\r\n`);
  return socket;
}
