/** What can stand between two reads of one RTSP connection (RFC 2326 4, 10.12). */
export type Message = Request | Response | Interleaved;

/** Header fields in the order received. Names compare without case; a field may occur several times (RFC 2326 4.2). */
export type Headers = readonly (readonly [name: string, value: string])[];

export interface Request {
  readonly type: "request";
  /** As received. Not checked against the methods that we know, so that the answer can be 501 with the right CSeq. */
  readonly method: string;
  /** Absolute URI or `*`, as received: digest authentication hashes these very characters (RFC 7616 3.4.3). */
  readonly uri: string;
  /** `1.0`, or another one that has its own answer (505). */
  readonly version: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface Response {
  readonly type: "response";
  /** 100 to 599. */
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** One `$`-framed packet on the RTSP connection (RFC 2326 10.12). */
export interface Interleaved {
  readonly type: "interleaved";
  /** 0 to 255. */
  readonly channel: number;
  /** At most 65 535 bytes. A view into the read buffer: copy it to keep it. */
  readonly payload: Buffer;
}

/** The first value of a field, without the blanks around it, or undefined. */
export function header(message: { readonly headers: Headers }, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return message.headers.find(([field]) => field.toLowerCase() === wanted)?.[1];
}

/** All values of a field, in the order received. */
export function headerValues(message: { readonly headers: Headers }, name: string): readonly string[] {
  const wanted = name.toLowerCase();
  return message.headers.filter(([field]) => field.toLowerCase() === wanted).map(([, value]) => value);
}
