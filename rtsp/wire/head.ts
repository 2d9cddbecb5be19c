import { Fault } from "../../base/fault.ts";
import type { Headers, Request, Response } from "./message.ts";

/** Which end of the connection reads: a server trusts no client, a client gets along with cameras. */
export type Role = "server" | "client";

const LIMITS = {
  /** SDP of a camera with many tracks and inline parameter sets; clients send next to nothing. */
  bodyBytes: { client: 128 * 1024, server: 64 * 1024 },
};

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const REQUEST_LINE = /^([A-Z_]{1,32}) (\S+) RTSP\/(\d\.\d)$/;
/** Of cameras with any number of blanks. */
const STATUS_LINE: Readonly<Record<Role, RegExp>> = {
  server: /^RTSP\/\d\.\d ([1-5]\d\d)(?: (.*))?$/,
  client: /^RTSP\/\d\.\d +([1-5]\d\d)(?: +(.*))?$/,
};

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DELETE = 0x7f;

/** A field that says how long a message is or which request an answer belongs to: two values would be two readings. */
const SINGLE = new Set(["content-length", "cseq"]);

/** A message without its body. */
export interface Head {
  readonly message: Omit<Request, "body"> | Omit<Response, "body">;
  readonly bodyBytes: number;
}

/** One line without its end. `lf` is where that stands. */
export function readLine(bytes: Buffer, from: number, lf: number, role: Role): string {
  const crlf = lf > from && bytes[lf - 1] === CR;
  if (!crlf && role === "server") throw new Fault("invalid", "line ends with LF alone");
  const end = crlf ? lf - 1 : lf;
  for (let at = from; at < end; at += 1)
    if (isForbidden(bytes[at] ?? 0, role)) throw new Fault("invalid", `control character ${bytes[at]} in a line`);
  return bytes.toString("latin1", from, end);
}

/** RFC 2326 15.1 allows no control characters but blanks. Cameras may send some; those that others take for ends they may not. */
function isForbidden(byte: number, role: Role): boolean {
  if (role === "client") return byte === 0 || byte === CR || byte === LF;
  return (byte < SPACE && byte !== TAB) || byte === DELETE;
}

/** A start line and the header lines behind it. */
export function readHead(lines: readonly string[], role: Role): Head {
  const [start = "", ...rest] = lines;
  const headers = headersOf(rest, role);
  return { message: messageOf(start, headers, role), bodyBytes: bodyBytesOf(headers, role) };
}

function messageOf(start: string, headers: Headers, role: Role): Head["message"] {
  const status = STATUS_LINE[role].exec(start);
  if (status !== null) return { type: "response", status: Number(status[1]), reason: status[2] ?? "", headers };
  const request = REQUEST_LINE.exec(start);
  if (request === null) throw new Fault("invalid", `neither request nor status line: ${start.slice(0, 80)}`);
  const [, method = "", uri = "", version = ""] = request;
  return { type: "request", method, uri, version, headers };
}

function headersOf(lines: readonly string[], role: Role): Headers {
  const headers: [string, string][] = [];
  const seen = new Set<string>();
  for (const line of lines) {
    const last = headers.at(-1);
    if (/^[ \t]/.test(line)) {
      if (role === "server" || last === undefined) throw new Fault("invalid", "folded header line");
      last[1] = `${last[1]} ${line.trim()}`.trim();
      continue;
    }
    const colon = line.indexOf(":");
    const name = colon < 0 ? "" : line.slice(0, colon);
    const plain = role === "client" ? name.trim() : name;
    if (!TOKEN.test(plain)) {
      if (role === "server") throw new Fault("invalid", `header line without a name: ${line.slice(0, 80)}`);
      continue;
    }
    const key = plain.toLowerCase();
    if (SINGLE.has(key)) {
      if (seen.has(key)) throw new Fault("invalid", `${plain} stands twice`);
      seen.add(key);
    }
    // RTSP has no such field; a program in between that knows it from HTTP would find another end of the message.
    if (key === "transfer-encoding" && role === "server") throw new Fault("invalid", "Transfer-Encoding");
    headers.push([plain, line.slice(colon + 1).trim()]);
  }
  return headers;
}

function bodyBytesOf(headers: Headers, role: Role): number {
  const text = headers.find(([name]) => name.toLowerCase() === "content-length")?.[1];
  if (text === undefined) return 0;
  const length = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  const most = LIMITS.bodyBytes[role];
  if (!(length <= most)) throw new Fault("invalid", `Content-Length ${text.slice(0, 40)}: at most ${most}`);
  return length;
}
