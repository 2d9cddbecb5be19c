import { Fault } from "../../base/fault.ts";

const LIMITS = { characters: 2048, specs: 16, parameters: 24 };

/** Two numbers that belong together: RTP and RTCP, as ports or as interleaved channels. */
export type Pair = readonly [number, number];

/**
 * How RTP comes from a camera: inside the RTSP connection, over UDP to one receiver (RFC 2326 12.39), inside an RTSP connection
 * that is itself inside HTTP (ONVIF Streaming 5.1.1.4), or over UDP to a group.
 */
export const UPSTREAM_TRANSPORTS = ["tcp", "udp", "http", "multicast"] as const;

export type UpstreamTransport = (typeof UPSTREAM_TRANSPORTS)[number];

/** One alternative of a Transport header (RFC 2326 12.39). */
export interface TransportSpec {
  /** `RTP/AVP`, `RTP/AVP/TCP`, …: upper case, as written otherwise. */
  readonly protocol: string;
  readonly delivery?: "unicast" | "multicast";
  readonly interleaved?: Pair;
  readonly clientPort?: Pair;
  readonly serverPort?: Pair;
  /** Multicast ports. */
  readonly port?: Pair;
  readonly ttl?: number;
  readonly source?: string;
  readonly destination?: string;
  readonly ssrc?: number;
  readonly mode?: string;
}

/**
 * Reads a Transport header: its alternatives, the preferred first. Parameters that we do not know are passed over, known ones
 * that make no sense are a Fault of kind `invalid`. A single number where a pair belongs stands for it and the next one.
 */
export function parseTransport(value: string): readonly TransportSpec[] {
  if (value.length > LIMITS.characters) throw new Fault("invalid", "Transport header is too long");
  const texts = partsOf(value, ",").filter((part) => part.trim() !== "");
  if (texts.length === 0 || texts.length > LIMITS.specs)
    throw new Fault("invalid", `Transport: ${texts.length} alternatives`);
  return texts.map(specOf);
}

/** Between separators, but not those in quotation marks: `mode="PLAY,RECORD"`. */
function partsOf(value: string, separator: "," | ";"): readonly string[] {
  return value.match(separator === "," ? /(?:"[^"]*"|[^,])+/g : /(?:"[^"]*"|[^;])+/g) ?? [];
}

function specOf(text: string): TransportSpec {
  const [protocol = "", ...parameters] = partsOf(text, ";").map((part) => part.trim());
  if (!/^[A-Za-z0-9/.+-]{1,32}$/.test(protocol))
    throw new Fault("invalid", `Transport: protocol "${protocol.slice(0, 40)}"`);
  if (parameters.length > LIMITS.parameters) throw new Fault("invalid", "Transport: too many parameters");
  const spec: { -readonly [K in keyof TransportSpec]: TransportSpec[K] } = { protocol: protocol.toUpperCase() };
  for (const parameter of parameters) {
    const equals = parameter.indexOf("=");
    const name = (equals < 0 ? parameter : parameter.slice(0, equals)).trim().toLowerCase();
    const argument =
      equals < 0
        ? ""
        : parameter
            .slice(equals + 1)
            .trim()
            .replace(/^"(.*)"$/, "$1");
    if (name === "unicast" || name === "multicast") spec.delivery = name;
    else if (name === "interleaved") spec.interleaved = pairOf(name, argument, 255);
    else if (name === "client_port") spec.clientPort = pairOf(name, argument, 65_535);
    else if (name === "server_port") spec.serverPort = pairOf(name, argument, 65_535);
    else if (name === "port") spec.port = pairOf(name, argument, 65_535);
    else if (name === "ttl") spec.ttl = numberOf(name, argument, 255);
    else if (name === "source") spec.source = argument;
    else if (name === "destination") spec.destination = argument;
    else if (name === "mode") spec.mode = argument;
    // Cameras put blanks into it, or more digits than 32 bits have: it is a hint, and only a right one is taken.
    else if (name === "ssrc" && /^[0-9a-fA-F]{1,8}$/.test(argument)) spec.ssrc = Number.parseInt(argument, 16);
  }
  return spec;
}

function numberOf(name: string, text: string, most: number): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= most)) throw new Fault("invalid", `Transport: ${name}=${text.slice(0, 40)}`);
  return value;
}

function pairOf(name: string, text: string, most: number): Pair {
  const [first = "", second] = text.split("-");
  const low = numberOf(name, first.trim(), most);
  return [low, second === undefined ? Math.min(low + 1, most) : numberOf(name, second.trim(), most)];
}

function pair(name: string, value: Pair | undefined): readonly string[] {
  return value === undefined ? [] : [`${name}=${value[0]}-${value[1]}`];
}

function text(name: string, value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [`${name}=${value}`];
}

/** Prints one alternative. */
export function printTransport(spec: TransportSpec): string {
  return [
    spec.protocol,
    ...(spec.delivery === undefined ? [] : [spec.delivery]),
    ...text("destination", spec.destination),
    ...text("source", spec.source),
    ...pair("interleaved", spec.interleaved),
    ...text("ttl", spec.ttl),
    ...pair("port", spec.port),
    ...pair("client_port", spec.clientPort),
    ...pair("server_port", spec.serverPort),
    ...text("ssrc", spec.ssrc?.toString(16).toUpperCase().padStart(8, "0")),
    ...text("mode", spec.mode === undefined ? undefined : `"${spec.mode}"`),
  ].join(";");
}
