import { Fault } from "../../base/fault.ts";
import type { Headers } from "./message.ts";

/** The reason phrases that we send (RFC 2326 7.1.1). */
const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  451: "Parameter Not Understood",
  453: "Not Enough Bandwidth",
  454: "Session Not Found",
  455: "Method Not Valid in This State",
  457: "Invalid Range",
  459: "Aggregate Operation Not Allowed",
  460: "Only Aggregate Operation Allowed",
  461: "Unsupported Transport",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "RTSP Version Not Supported",
  551: "Option Not Supported",
};

export interface RequestToPrint {
  readonly method: string;
  readonly uri: string;
  readonly headers: Headers;
  readonly body?: Buffer;
}

export interface ResponseToPrint {
  readonly status: number;
  readonly headers: Headers;
  readonly body?: Buffer;
}

/** A request as bytes (RFC 2326 6). Content-Length is added where there is a body. */
export function printRequest({ method, uri, headers, body }: RequestToPrint): Buffer {
  return print(`${method} ${uri} RTSP/1.0`, headers, body);
}

/** A response as bytes (RFC 2326 7). Content-Length is added where there is a body. */
export function printResponse({ status, headers, body }: ResponseToPrint): Buffer {
  return print(`RTSP/1.0 ${status} ${REASONS[status] ?? "Status"}`, headers, body);
}

/** One packet framed for the RTSP connection (RFC 2326 10.12). */
export function frameInterleaved(channel: number, payload: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(4 + payload.length);
  framed.writeUInt8(0x24, 0);
  framed.writeUInt8(channel, 1);
  framed.writeUInt16BE(payload.length, 2);
  framed.set(payload, 4);
  return framed;
}

function print(start: string, headers: Headers, body: Buffer | undefined): Buffer {
  const lines = [start, ...headers.map(([name, value]) => `${name}: ${value}`)];
  if (body !== undefined && body.length > 0) lines.push(`Content-Length: ${body.length}`);
  // A line break in a value would be a second header, or a second message; beyond Latin-1, only the low byte of a letter would
  // be written, which may be one.
  if (lines.some((line) => /[^\t\x20-\xff]/.test(line)))
    throw new Fault("internal", `line break in a message: ${start}`);
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return body === undefined ? head : Buffer.concat([head, body]);
}
