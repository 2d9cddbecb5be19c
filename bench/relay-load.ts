import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { ageOf, MARK, MARKED_BYTES } from "./mark.ts";
import type { Way } from "./servers.ts";

// Readers that take a stream and throw it away, in a process of their own. One in fifty looks for the mark in each access unit.
// Tells the parent when all play, and what was read in each second after that. The first argument are the addresses, with blanks
// between them, that readers take turns with; the last one, header lines for PLAY.

const [given = "", way = "tcp", count = "1", stopped = "0", manner = "Range: npt=0-"] = process.argv.slice(2) as [
  string?,
  Way?,
  string?,
  string?,
  string?,
];
const urls = given.split(" ");
const { hostname, port } = new URL((urls[0] ?? "").replace(/^rtsps?:/, "http:"));
const SHARED = Buffer.allocUnsafe(256 * 1024);
const LOOKING = 50;
/** Connections that are being set up at one time: servers have a backlog. */
const AT_ONCE = 50;

let bytes = 0;
const ages: number[] = [];
const firstMs: number[] = [];

/** Takes media of one reader: counts it, and looks for marks. */
function taker(looking: boolean): { readonly asked: () => void; readonly take: (chunk: Buffer) => void } {
  let askedAt = 0;
  let began = false;
  let tail = Buffer.alloc(0);
  return {
    asked() {
      askedAt = performance.now();
    },
    take(chunk) {
      bytes += chunk.length;
      if (!began) {
        began = true;
        firstMs.push(performance.now() - askedAt);
      }
      if (!looking) return;
      const whole = Buffer.concat([tail, chunk]);
      let end = 0;
      for (let at = whole.indexOf(MARK); at >= 0 && at + MARKED_BYTES <= whole.length; at = whole.indexOf(MARK, end)) {
        ages.push(ageOf(whole, at));
        end = at + MARKED_BYTES;
      }
      tail = Buffer.from(whole.subarray(Math.max(end, whole.length - MARKED_BYTES + 1)));
    },
  };
}

/** Datagrams to a port of ours. */
async function datagrams(take: (chunk: Buffer) => void): Promise<number> {
  const socket = createSocket("udp4", take);
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  socket.setRecvBufferSize(1024 * 1024);
  return socket.address().port;
}

/** Reads answers until PLAY is answered; then everything is media. `stops`: from then on nothing is read. */
async function reader(index: number, stops: boolean): Promise<void> {
  const url = urls[index % urls.length] ?? "";
  const looking = index % LOOKING === 0 && !stops;
  const { asked, take } = taker(looking);
  const udp = way === "udp" ? await datagrams(take) : undefined;
  const transport =
    udp === undefined ? "RTP/AVP/TCP;unicast;interleaved=0-1" : `RTP/AVP;unicast;client_port=${udp}-${udp + 1}`;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const steps = [
    () => ask("DESCRIBE", url, ["Accept: application/sdp"]),
    () => ask("SETUP", `${url}/${control}`, [`Transport: ${transport}`]),
    () => ask("PLAY", url, [`Session: ${session}`, ...manner.split("\n")]),
  ];
  let control = "track0";
  let session = "";
  let pending = Buffer.alloc(0);
  let cseq = 0;
  const ask = (method: string, target: string, headers: readonly string[]): void => {
    cseq += 1;
    asked();
    socket.write([`${method} ${target} RTSP/1.0`, `CSeq: ${cseq}`, ...headers, "", ""].join("\r\n"));
  };
  const answer = (chunk: Buffer): void => {
    pending = Buffer.concat([pending, chunk]);
    // Some servers send media before they have answered PLAY.
    while (pending[0] === 0x24 && pending.length >= 4 && pending.length >= 4 + pending.readUInt16BE(2))
      pending = pending.subarray(4 + pending.readUInt16BE(2));
    const text = pending[0] === 0x24 ? "" : pending.toString("latin1");
    const head = text.indexOf("\r\n\r\n");
    const end = head + 4 + Number(/Content-Length: *(\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
    if (head < 0 || text.length < end) return;
    if (!text.startsWith("RTSP/1.0 200")) {
      reject(new Error(text.slice(0, 60).split("\r\n", 1)[0]));
      return;
    }
    control = /a=control:(?!\*|rtsp)(\S+)/.exec(text.slice(0, end))?.[1] ?? control;
    session = /Session: *([^;\r]+)/i.exec(text.slice(0, head))?.[1] ?? session;
    const rest = Buffer.from(pending.subarray(end));
    pending = Buffer.alloc(0);
    const next = steps.shift();
    if (next !== undefined) {
      next();
      return;
    }
    receive = take;
    if (rest.length > 0) take(rest);
    if (stops) socket.pause();
    resolve();
  };
  let receive = answer;
  const socket = open(looking, (chunk) => receive(chunk));
  socket.once(way === "tls" ? "secureConnect" : "connect", () => steps.shift()?.());
  socket.on("error", reject);
  socket.on("close", () => reject(new Error("the server hung up")));
  await promise;
}

function open(looking: boolean, read: (chunk: Buffer) => void): Socket {
  if (way === "tls") {
    const ciphers = "TLS_AES_128_GCM_SHA256";
    // What is measured is on this machine, and made up.
    const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false, ciphers });
    return socket.setNoDelay(true).on("data", read);
  }
  return connect({
    host: hostname,
    port: Number(port),
    noDelay: true,
    onread: {
      buffer: looking ? () => Buffer.allocUnsafe(256 * 1024) : SHARED,
      callback: (size, buffer) => {
        read(Buffer.from(buffer.buffer, buffer.byteOffset, size));
        return true;
      },
    },
  });
}

process.on("message", () => {
  process.send?.({ bytes, ages: ages.splice(0), firstMs: firstMs.splice(0) });
});
process.on("disconnect", () => process.exit(0));

const waiting = Array.from({ length: Number(count) }, (_, index) => index);
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift())
      await reader(index, index >= Number(count) - Number(stopped));
  }),
);
process.send?.({ ready: true });
