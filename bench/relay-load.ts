import { connect, type Socket } from "node:net";
import { ageOf, MARK } from "./mark.ts";

// Readers that take a stream and throw it away, in a process of their own. One in fifty looks for the mark in each access unit.
// Tells the parent when all play, and what was read in each second after that.

const [url = "", count = "1"] = process.argv.slice(2);
const { hostname, port } = new URL(url.replace(/^rtsp:/, "http:"));
const SHARED = Buffer.allocUnsafe(256 * 1024);
const LOOKING = 50;
/** Connections that are being set up at one time: servers have a backlog. */
const AT_ONCE = 50;

let bytes = 0;
let playing = 0;
const ages: number[] = [];
const firstMs: number[] = [];

/** Reads answers until PLAY is answered; then everything is media. */
function reader(index: number): Promise<void> {
  const looking = index % LOOKING === 0;
  return new Promise((resolve, reject) => {
    const steps = [
      () => ask("DESCRIBE", url, ["Accept: application/sdp"]),
      () => ask("SETUP", `${url}/${control}`, ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1"]),
      () => ask("PLAY", url, [`Session: ${session}`, "Range: npt=0-"]),
    ];
    let control = "track0";
    let session = "";
    let pending = Buffer.alloc(0);
    let cseq = 0;
    let askedAt = 0;
    let began = false;
    let tail = Buffer.alloc(0);
    const ask = (method: string, target: string, headers: readonly string[]): void => {
      cseq += 1;
      askedAt = performance.now();
      socket.write([`${method} ${target} RTSP/1.0`, `CSeq: ${cseq}`, ...headers, "", ""].join("\r\n"));
    };
    const media = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (!began) {
        began = true;
        firstMs.push(performance.now() - askedAt);
      }
      if (!looking) return;
      const whole = Buffer.concat([tail, chunk]);
      for (
        let at = whole.indexOf(MARK);
        at >= 0 && at + MARK.length + 8 <= whole.length;
        at = whole.indexOf(MARK, at + 1)
      )
        ages.push(ageOf(whole, at));
      tail = Buffer.from(whole.subarray(Math.max(0, whole.length - MARK.length - 7)));
      // What was found in the tail is not to be found again.
      if (tail.indexOf(MARK) >= 0 && tail.length >= MARK.length + 8) tail = Buffer.alloc(0);
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
      playing += 1;
      receive = media;
      if (rest.length > 0) media(rest);
      resolve();
    };
    let receive = answer;
    const socket: Socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: {
        buffer: looking ? () => Buffer.allocUnsafe(256 * 1024) : SHARED,
        callback: (size, buffer) => {
          receive(Buffer.from(buffer.buffer, buffer.byteOffset, size));
          return true;
        },
      },
    });
    socket.once("connect", () => steps.shift()?.());
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server hung up")));
  });
}

process.on("message", () => {
  process.send?.({ bytes, playing, ages: ages.splice(0), firstMs: firstMs.splice(0) });
});
process.on("disconnect", () => process.exit(0));

const waiting = Array.from({ length: Number(count) }, (_, index) => index);
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) await reader(index);
  }),
);
process.send?.({ ready: true });
