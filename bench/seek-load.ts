import { connect } from "node:net";

// A client that jumps about in a recording, in a process of its own: tells its parent how long each jump took, from PLAY to the
// first packet of what was asked for.

const [url = "", from = "0", seconds = "1", count = "1"] = process.argv.slice(2);
const { hostname, port } = new URL(url.replace(/^rtsp:/, "http:"));
const socket = connect({ host: hostname, port: Number(port), noDelay: true });
let pending = Buffer.alloc(0);
let cseq = 0;
const waiting: (() => void)[] = [];
socket.on("data", (chunk) => {
  pending = Buffer.concat([pending, chunk]);
  for (const wake of waiting.splice(0)) wake();
});
const more = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));

/** The next frame or answer. */
async function next(): Promise<string | undefined> {
  for (;;) {
    if (pending[0] === 0x24 && pending.length >= 4 && pending.length >= 4 + pending.readUInt16BE(2)) {
      pending = pending.subarray(4 + pending.readUInt16BE(2));
      return undefined;
    }
    const end = pending[0] === 0x24 ? -1 : pending.indexOf("\r\n\r\n");
    if (end >= 0) {
      const head = pending.toString("latin1", 0, end);
      const length = end + 4 + Number(/Content-Length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (pending.length >= length) {
        const text = pending.toString("latin1", 0, length);
        pending = pending.subarray(length);
        return text;
      }
    }
    await more();
  }
}

async function ask(method: string, target: string, headers: readonly string[]): Promise<string> {
  cseq += 1;
  socket.write([`${method} ${target} RTSP/1.0`, `CSeq: ${cseq}`, ...headers, "", ""].join("\r\n"));
  for (;;) {
    const answer = await next();
    if (answer === undefined) continue;
    if (!answer.startsWith("RTSP/1.0 200")) throw new Error(answer.split("\r\n", 1)[0]);
    return answer;
  }
}

const described = await ask("DESCRIBE", url, ["Accept: application/sdp"]);
const control = /a=control:(?!\*|rtsp)(\S+)/.exec(described)?.[1] ?? "track0";
const setUp = await ask("SETUP", `${url}/${control}`, ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1"]);
const session = /Session: *([^;\r]+)/i.exec(setUp)?.[1] ?? "";
const jumpMs: number[] = [];
for (let jump = 0; jump < Number(count); jump += 1) {
  const to = new Date(Number(from) + Math.random() * (Number(seconds) - 10) * 1000)
    .toISOString()
    .replaceAll(/[-:]/g, "");
  const askedAt = performance.now();
  await ask("PLAY", url, [`Session: ${session}`, "Require: onvif-replay", "Immediate: yes", `Range: clock=${to}-`]);
  await next();
  jumpMs.push(performance.now() - askedAt);
}
process.send?.({ jumpMs });
