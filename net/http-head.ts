import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import { SECOND } from "../base/units.ts";

const LIMITS = {
  /** As for every HTTP request here: who has not sent its head by then is no client. */
  headMs: 5 * SECOND,
  headBytes: 16 * 1024,
} as const;

const END = "\r\n\r\n";

/** The head of an HTTP request, as far as it tells who should serve it. */
export interface HttpHead {
  readonly method: string;
  /** The first of each name, in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  /** What followed the head already. */
  readonly rest: Buffer;
}

/**
 * Looks at the first request on a connection and leaves it paused, with nothing taken from it: `undo` puts everything back, for
 * whoever serves it in the end. Undefined where there is no whole head. Closes the connection that sends none in time.
 */
export function peekHead(socket: Socket, clock: Clock): Promise<{ head: HttpHead | undefined; undo: () => void }> {
  return new Promise((resolve) => {
    let bytes: Buffer = Buffer.alloc(0);
    const timer = clock.after(LIMITS.headMs, () => socket.destroy());
    const done = (head: HttpHead | undefined): void => {
      timer.cancel();
      socket.off("data", read);
      socket.off("end", ended);
      socket.off("close", cancel);
      socket.pause();
      resolve({ head, undo: () => void (bytes.length > 0 && socket.unshift(bytes)) });
    };
    const cancel = (): void => timer.cancel();
    const ended = (): void => void socket.destroy();
    const read = (chunk: Buffer): void => {
      const searched = Math.max(0, bytes.length - END.length);
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf(END, searched);
      const isHttp = /^[A-Z]/.test(bytes.toString("latin1", 0, 1));
      if (isHttp && end >= 0 && end <= LIMITS.headBytes) done(headOf(bytes, end));
      // TLS in clear text, another protocol, an endless line: the HTTP server knows how to refuse these.
      else if (!isHttp || bytes.length > LIMITS.headBytes) done(undefined);
    };
    socket.on("data", read);
    socket.once("end", ended);
    socket.once("close", cancel);
  });
}

function headOf(bytes: Buffer, end: number): HttpHead {
  const [start = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (!fields.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  return { method: start.split(" ", 1)[0] ?? "", fields, rest: bytes.subarray(end + END.length) };
}
