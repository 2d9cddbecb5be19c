import { Fault } from "../base/fault.ts";

const LIMITS = {
  headBytes: 16 * 1024,
  headerLines: 64,
  bodyBytes: 64 * 1024,
} as const;

export interface RtspRequest {
  readonly method: string;
  readonly uri: string;
  /** Names in lower case; of one that occurs twice the last. */
  readonly headers: ReadonlyMap<string, string>;
}

/** What a client sends: a request, or a packet on an interleaved channel. */
export type FromClient = RtspRequest | { readonly channel: number; readonly packet: Buffer };

/** Takes apart what a client sends (RFC 2326 6, 10.12). Bodies are skipped: nothing in them matters here. */
export class RequestReader {
  #bytes: Buffer = Buffer.alloc(0);
  #skip = 0;

  /** What `chunk` completes. Fault `invalid` for what is no request, or too long for one. */
  push(chunk: Buffer): readonly FromClient[] {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const found: FromClient[] = [];
    for (;;) {
      const skipped = Math.min(this.#skip, this.#bytes.length);
      this.#skip -= skipped;
      this.#bytes = this.#bytes.subarray(skipped);
      const next = this.#bytes[0] === 0x24 ? this.#packet() : this.#request();
      if (next === undefined) return found;
      found.push(next);
    }
  }

  #packet(): FromClient | undefined {
    const end = this.#bytes.length < 4 ? Number.POSITIVE_INFINITY : 4 + this.#bytes.readUInt16BE(2);
    if (end > this.#bytes.length) return undefined;
    this.#skip = end;
    return { channel: this.#bytes[1] as number, packet: this.#bytes.subarray(4, end) };
  }

  #request(): RtspRequest | undefined {
    const end = this.#bytes.indexOf("\r\n\r\n");
    if (end > LIMITS.headBytes || (end < 0 && this.#bytes.length > LIMITS.headBytes))
      throw new Fault("invalid", "request head is too long");
    if (end < 0) return undefined;
    const [start = "", ...lines] = this.#bytes.toString("latin1", 0, end).trimStart().split("\r\n");
    const [, method, uri] = /^([A-Z_]+) (\S+) RTSP\/1\.0$/.exec(start) ?? [];
    if (method === undefined || uri === undefined || lines.length > LIMITS.headerLines)
      throw new Fault("invalid", "not an RTSP request");
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(":");
      if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
    }
    const body = Number(headers.get("content-length") ?? 0);
    if (!(body >= 0 && body <= LIMITS.bodyBytes)) throw new Fault("invalid", "request body is too long");
    this.#skip = end + 4 + body;
    return { method, uri, headers };
  }
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  302: "Found",
  401: "Unauthorized",
  404: "Not Found",
  451: "Parameter Not Understood",
  453: "Not Enough Bandwidth",
  454: "Session Not Found",
  455: "Method Not Valid in This State",
  457: "Invalid Range",
  459: "Aggregate Operation Not Allowed",
  461: "Unsupported Transport",
  501: "Not Implemented",
  551: "Option not supported",
};

export interface RtspAnswer {
  readonly status: number;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}

/** An answer as it goes out. `newline`: what ends a line. */
export function printAnswer(
  { status, headers = [], body = "" }: RtspAnswer,
  sequence: string,
  newline = "\r\n",
): string {
  const lines = [
    `RTSP/1.0 ${status} ${REASONS[status] ?? "Error"}`,
    `CSeq: ${sequence}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return `${lines.join(newline)}${newline}${newline}${body}`;
}
