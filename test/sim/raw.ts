import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { openPortPair } from "../../net/udp.ts";
import type { VirtualClock } from "../support/virtual-clock.ts";
import { LOGIN } from "./fixture.ts";

const NAMESPACES = {
  tds: "http://www.onvif.org/ver10/device/wsdl",
  trt: "http://www.onvif.org/ver10/media/wsdl",
  tr2: "http://www.onvif.org/ver20/media/wsdl",
  tev: "http://www.onvif.org/ver10/events/wsdl",
  trc: "http://www.onvif.org/ver10/recording/wsdl",
  trp: "http://www.onvif.org/ver10/replay/wsdl",
  tse: "http://www.onvif.org/ver10/search/wsdl",
  wsnt: "http://docs.oasis-open.org/wsn/b-2",
} as const;

/** One SOAP request with a digest answer where that is asked for; the status, the header fields and the body of the last answer. */
export async function askSoap(
  url: string,
  prefix: keyof typeof NAMESPACES,
  operation: string,
  content = "",
  login: "open" | "digest" = "digest",
): Promise<string> {
  const { pathname, search } = new URL(url);
  const body = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:${prefix}="${NAMESPACES[prefix]}"><s:Body><${prefix}:${operation}>${content}</${prefix}:${operation}></s:Body></s:Envelope>`;
  const ask = (authorization?: string): Promise<Response> =>
    fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/soap+xml",
        ...(authorization === undefined ? {} : { authorization }),
      },
      body,
    });
  let response = await ask();
  const challenge = response.headers.get("www-authenticate");
  if (login === "digest" && challenge !== null) {
    await response.text();
    response = await ask(digest(challenge, "POST", pathname + search));
  }
  return `${response.status} ${JSON.stringify([...response.headers])}\n${await response.text()}`;
}

/** Sends requests on the same connection, all at once, and returns what has come up to the last one's answer. */
export type Ask = (...methods: readonly string[]) => Promise<string>;

/**
 * Sends requests over one RTSP connection, logged in, and returns all of the answers. SETUP goes to the tracks in turn, for
 * interleaved transport unless another one is named. The connection stays until `done`; what comes meanwhile is behind the
 * answers, as latin1. `during` comes behind the requests.
 */
export async function exchange(
  url: string,
  methods: readonly string[],
  o: {
    readonly transport?: string;
    /** One for each. */
    readonly transports?: readonly string[];
    /** The first that is set up. */
    readonly track?: number;
    readonly require?: string;
    readonly range?: string;
    readonly done?: Promise<unknown>;
    readonly during?: (ask: Ask) => Promise<void>;
  } = {},
): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const closed = once(socket, "close");
  const require =
    (o.require === undefined ? "" : `Require: ${o.require}\r\n`) +
    (o.range === undefined ? "" : `Range: ${o.range}\r\n`);
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  await once(socket, "connect");
  const ask = async (method: string, uri: string, headers: string): Promise<string> => {
    text = "";
    socket.write(`${method} ${uri} RTSP/1.0\r\nCSeq: 1\r\n${require}${headers}\r\n`);
    while (!/\r?\n\r?\n/.test(text) && !socket.destroyed) await Promise.race([once(socket, "data"), closed]);
    return text === "" ? "hung up" : text;
  };
  let answers = "";
  const first = (o.track ?? 1) - 1;
  let track = first;
  for (const method of methods) {
    if (method === "SETUP") track += 1;
    const uri = method === "SETUP" ? `${url}/trackID=${track}` : url;
    const interleaved = `RTP/AVP/TCP;unicast;interleaved=${2 * track - 2}-${2 * track - 1}`;
    const session = /Session: (\w+)/.exec(answers)?.[1];
    const more =
      method === "SETUP"
        ? `Transport: ${o.transports?.[track - first - 1] ?? o.transport ?? interleaved}\r\n`
        : session === undefined
          ? ""
          : `Session: ${session}\r\n`;
    const asked = await ask(method, uri, more);
    const challenge = /WWW-Authenticate: (.*)/.exec(asked)?.[1];
    answers += asked;
    if (challenge?.includes("MD5") === true)
      answers += await ask(method, uri, `${more}Authorization: ${digest(challenge, method, uri)}\r\n`);
  }
  await o.during?.(async (...more) => {
    text = "";
    const session = /Session: (\w+)/.exec(answers)?.[1] ?? "";
    for (const [index, method] of more.entries())
      socket.write(`${method} ${url} RTSP/1.0\r\nCSeq: ${100 + index}\r\nSession: ${session}\r\n\r\n`);
    while (!text.includes(`CSeq: ${99 + more.length}`)) await once(socket, "data");
    return text;
  });
  const { length } = text;
  await o.done;
  socket.destroy();
  return answers + (o.done === undefined ? "" : text.slice(length));
}

/** The RTP packets of the first track in what came inside a connection, between answers. */
export function packetsIn(text: string): readonly Buffer[] {
  const bytes = Buffer.from(text, "latin1");
  const found: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const isMedia = bytes[at] === 0x24;
    const end = isMedia ? at + 4 + bytes.readUInt16BE(at + 2) : text.indexOf("\r\n\r\n", at) + 4;
    if (isMedia && bytes[at + 1] === 0) found.push(bytes.subarray(at + 4, end));
    if (end <= at) break;
    at = end;
  }
  return found;
}

/** The picture's first packets over UDP, as they come. */
export async function udpArrivals(url: string, count: number): Promise<readonly Buffer[]> {
  const pair = await openPortPair("127.0.0.1");
  const packets: Buffer[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  pair.rtp.on("message", (packet: Buffer) => {
    packets.push(packet);
    if (packets.length === count) resolve();
  });
  await exchange(url, ["SETUP", "PLAY"], {
    transport: `RTP/AVP;unicast;client_port=${pair.ports.join("-")}`,
    done,
  });
  pair.close();
  return packets.slice(0, count);
}

/** A packet inside the RTSP connection. */
export interface Framed {
  readonly channel: number;
  readonly packet: Buffer;
}

/** All that is sent inside the connection within `ms` of the camera's clock, from five seconds after its beginning on. */
export async function streamOf(
  clock: VirtualClock,
  camera: { readonly rtspUrl: string; readonly sessions: number },
  ms: number,
): Promise<readonly Framed[]> {
  await clock.advance(5000);
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const exchanged = exchange(camera.rtspUrl, ["SETUP", "SETUP", "PLAY"], { done });
  while (camera.sessions === 0) await new Promise((turn) => setImmediate(turn));
  await clock.advance(ms);
  resolve();
  const bytes = Buffer.from(await exchanged, "latin1");
  const frames: Framed[] = [];
  for (let at = bytes.lastIndexOf("\r\n\r\n") + 4; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readUInt16BE(at + 2);
    frames.push({ channel: bytes[at + 1] ?? 0, packet: bytes.subarray(at + 4, end) });
    at = end;
  }
  return frames;
}

/** RFC 2617 3.2.2, MD5. */
function digest(challenge: string, method: string, uri: string): string {
  const field = (name: string): string => new RegExp(`${name}="?([^",]*)`).exec(challenge)?.[1] ?? "";
  const md5 = (...parts: readonly string[]): string => createHash("md5").update(parts.join(":")).digest("hex");
  const [a1, a2] = [md5(LOGIN.user, field("realm"), LOGIN.password), md5(method, uri)];
  const plain = `username="${LOGIN.user}", realm="${field("realm")}", nonce="${field("nonce")}", uri="${uri}"`;
  if (field("qop") === "") return `Digest ${plain}, response="${md5(a1, field("nonce"), a2)}"`;
  const response = md5(a1, field("nonce"), "00000001", "c0ffee", "auth", a2);
  return `Digest ${plain}, qop=auth, nc=00000001, cnonce="c0ffee", response="${response}"`;
}
